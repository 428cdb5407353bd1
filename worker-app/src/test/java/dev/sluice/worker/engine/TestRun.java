// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

/** A run without a record. */
final class TestRun extends TaskRun {
  static final int BYTES = 10;

  /** How often it was begun, counted by the tests. */
  int starts;

  /** Whether its record is here, and not only its place. */
  boolean hasRecord = true;

  TestRun(long offset, PartitionState partition, HandlerState handler, OrderedBy order) {
    super(offset, partition, handler, order, BYTES);
  }

  void served(int level, String tenant) {
    servedAs(level, tenant);
  }

  @Override
  protected void shelved() {
    hasRecord = false;
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
