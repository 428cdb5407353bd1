// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import org.jspecify.annotations.Nullable;

/**
 * Which task is to find out whether a handler can work again: one that has not failed before, and
 * of the partition from which the last ones were not taken. What has failed will rather fail again,
 * and bad tasks come in clusters; were they tried first, those that can be worked would wait for
 * the end of all their attempts.
 */
final class Probe {
  /** No more than so many are looked at. */
  static final int LOOK_MAX = 1_000;

  private static final long FAILED = Long.MAX_VALUE / 2;

  private Probe() {}

  /** The lesser, the better; of equals the one that would be next anyway. */
  static long rank(TaskRun run) {
    long lastProbe = run.partition.lastProbe;
    return run.failedBefore() ? FAILED + lastProbe : lastProbe;
  }

  /** The better of two, each the first of its line; null if neither is there. */
  static @Nullable TaskRun better(@Nullable TaskRun one, @Nullable TaskRun other) {
    if (one == null || other == null) {
      return one == null ? other : one;
    }
    int order = Long.compare(rank(one), rank(other));
    return order < 0 || order == 0 && one.age <= other.age ? one : other;
  }
}
