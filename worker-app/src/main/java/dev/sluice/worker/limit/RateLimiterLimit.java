// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.internal.AtomicRateLimiter;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A Resilience4j rate limiter: {@code limitForPeriod} starts in each {@code limitRefreshPeriod}.
 * Its {@code timeoutDuration} is set to zero, because tasks wait in their lane, never a thread. As
 * in Resilience4j itself, twice the limit may start around the edge of two periods.
 */
public final class RateLimiterLimit implements Limit {
  private final AtomicRateLimiter limiter;

  /** A limiter of that name and configuration. */
  public RateLimiterLimit(String name, RateLimiterConfig config) {
    this.limiter =
        new AtomicRateLimiter(
            name, RateLimiterConfig.from(config).timeoutDuration(Duration.ZERO).build());
  }

  /** The limiter, for its events and metrics. */
  public AtomicRateLimiter limiter() {
    return limiter;
  }

  @Override
  public PauseReason reason() {
    return PauseReason.RATE_LIMITED;
  }

  @Override
  public long tryAcquire(long nowNanos) {
    if (limiter.acquirePermission(1)) {
      return GRANTED;
    }
    return Math.max(1, limiter.getDetailedMetrics().getNanosToWait());
  }

  /** Does nothing: a Resilience4j rate limiter takes no permit back, so it is asked last. */
  @Override
  public void cancel() {}

  @Override
  public void release(Ending ending, long durationNanos, @Nullable Throwable failure) {}
}
