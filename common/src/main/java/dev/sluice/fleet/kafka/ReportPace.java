// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.kafka;

import dev.sluice.flow.limit.TokenBucket;
import java.util.random.RandomGenerator;

/**
 * When to report: every third of a lease, give or take a fifth, and at once on a change, but at
 * most four times a second, or as seldom as the coordinator asks for. Never more often because
 * leases lapse: an overload of the control topics must not feed itself. Not thread-safe.
 */
final class ReportPace {
  private static final double RATE = 4;
  private static final long BURST = 4;
  private static final double JITTER = 0.2;
  private static final long FREE_SPACING_NANOS = 250_000_000;

  private final RandomGenerator random;
  private final TokenBucket bucket;
  private long lastNanos;
  private long nextNanos;

  ReportPace(RandomGenerator random, long nowNanos) {
    this.random = random;
    this.bucket = new TokenBucket(RATE, BURST, nowNanos);
    this.lastNanos = nowNanos;
    this.nextNanos = nowNanos;
  }

  /** Whether to report now; if so, it counts as done. */
  boolean due(boolean urgent, long leaseNanos, long spacingNanos, long nowNanos) {
    boolean periodic = nowNanos - nextNanos >= 0;
    boolean spaced = spacingNanos <= FREE_SPACING_NANOS || nowNanos - lastNanos >= spacingNanos;
    if (!(periodic || urgent && spaced) || bucket.tryAcquire(1, nowNanos) != 0) {
      return false;
    }
    lastNanos = nowNanos;
    double factor = 1 + JITTER * (2 * random.nextDouble() - 1);
    nextNanos = nowNanos + (long) (leaseNanos / 3.0 * factor);
    return true;
  }
}
