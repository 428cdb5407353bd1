// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import java.util.Map;

/**
 * What a worker says of one partition that it has. Immutable.
 *
 * @param partition its number
 * @param position below which all is done
 * @param held tasks in its lane
 * @param running tasks with threads
 * @param ready tasks that wait for a limit or a thread
 * @param reasons why it is paused, each with the milliseconds that it has held
 */
public record PartitionReport(
    int partition, long position, int held, int running, int ready, Map<String, Long> reasons) {
  public PartitionReport {
    reasons = Map.copyOf(reasons);
  }
}
