// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import java.util.List;

/**
 * What a worker says of one queue. Immutable.
 *
 * @param queue its name
 * @param topic its topic
 * @param group its consumer group
 * @param partitions what it has of it
 */
public record QueueReport(
    String queue, String topic, String group, List<PartitionReport> partitions) {
  public QueueReport {
    partitions = List.copyOf(partitions);
  }
}
