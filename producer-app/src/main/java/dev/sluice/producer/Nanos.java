// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import java.time.Duration;

/** Durations as nanoseconds: negative ones are 0, those beyond 292 years are for ever. */
final class Nanos {
  private Nanos() {}

  static long of(Duration duration) {
    if (duration.isNegative()) {
      return 0;
    }
    try {
      return duration.toNanos();
    } catch (ArithmeticException e) {
      return Long.MAX_VALUE;
    }
  }

  /** What is left of a budget that began at a time; never negative. */
  static long left(long budgetNanos, long startNanos, long nowNanos) {
    return budgetNanos == Long.MAX_VALUE
        ? Long.MAX_VALUE
        : Math.max(0, budgetNanos - (nowNanos - startNanos));
  }
}
