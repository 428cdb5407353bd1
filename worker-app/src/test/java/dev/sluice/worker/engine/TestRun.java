// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

/** A run without a record. */
final class TestRun extends TaskRun {
  static final int BYTES = 10;

  /** How often it was begun, counted by the tests. */
  int starts;

  TestRun(long offset, PartitionState partition, HandlerState handler, OrderedBy order) {
    super(offset, partition, handler, order, BYTES);
  }

  @Override
  public String toString() {
    return partition.topic
        + "-"
        + partition.partition
        + "@"
        + offset()
        + " key="
        + keyHash
        + " epoch="
        + partition.epoch
        + " "
        + state;
  }
}
