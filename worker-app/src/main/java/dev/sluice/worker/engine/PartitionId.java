// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

/**
 * A topic and the number of one of its partitions.
 *
 * @param topic the topic
 * @param partition the number
 */
public record PartitionId(String topic, int partition) {
  @Override
  public String toString() {
    return topic + "-" + partition;
  }
}
