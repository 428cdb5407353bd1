// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import org.jspecify.annotations.Nullable;

/**
 * All tasks of a partition that have an order, in one line, whatever their keys are: the order of a
 * partition is one of each key as well, and costs neither a table of keys nor the cache lines of
 * it. Right where a task takes about as long as a look into that table; what waits behind a slow
 * one has to be ordered by key again. Databases call the like of it lock escalation (Gray, Lorie,
 * Putzolu, Traiger 1976, "Granularity of locks").
 *
 * <p>Tasks that were ordered by key before the line was begun are worked before the first one in
 * it.
 */
final class PartitionLine {
  final long beganNanos;
  private int before;
  private @Nullable TaskRun first;
  private @Nullable TaskRun last;

  /**
   * @param before unfinished tasks of the partition that are ordered by their keys
   * @param nowNanos the present monotonic time
   */
  PartitionLine(int before, long nowNanos) {
    this.before = before;
    this.beganNanos = nowNanos;
  }

  /**
   * A task came in.
   *
   * @return whether there is none before it
   */
  boolean add(TaskRun run) {
    TaskRun behind = last;
    last = run;
    run.inLine = true;
    if (behind != null) {
      behind.nextOfKey = run;
    } else if (before > 0) {
      first = run;
    } else {
      return true;
    }
    run.state = TaskRun.State.BEHIND_KEY;
    return false;
  }

  /** A task of the line has ended that has none behind it. */
  void ended() {
    last = null;
  }

  /**
   * A task that is not of the line has ended.
   *
   * @return the first of the line if it was the last one that this waited for
   */
  @Nullable TaskRun endedBefore() {
    if (--before > 0) {
      return null;
    }
    TaskRun next = first;
    first = null;
    return next;
  }

  boolean isEmpty() {
    return last == null;
  }
}
