// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.internal.AtomicRateLimiter;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Resilience4j rate limiter: {@code limitForPeriod} starts in each {@code limitRefreshPeriod}.
 * Its {@code timeoutDuration} is set to zero, because tasks wait in their lane, never a thread, and
 * a refused start reserves nothing. {@code drainPermissionsOnResult} is asked after every attempt
 * that succeeded or failed; a success has no result, so the predicate gets {@code null} there. As
 * in Resilience4j itself, twice the limit may start around the edge of two periods. Thread-safe.
 */
public final class RateLimiterLimit implements Limit {
  private static final Logger LOG = LoggerFactory.getLogger(RateLimiterLimit.class);

  private final AtomicRateLimiter limiter;
  private final boolean drains;

  /** A limiter of that name and configuration. */
  public RateLimiterLimit(String name, RateLimiterConfig config) {
    this.limiter =
        new AtomicRateLimiter(
            name, RateLimiterConfig.from(config).timeoutDuration(Duration.ZERO).build());
    this.drains = config.getDrainPermissionsOnResult() != null;
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
    // With a time-out of zero, what cannot start now is not reserved either and gives -1.
    if (limiter.reservePermission(1) >= 0) {
      return GRANTED;
    }
    return Math.max(1, limiter.getDetailedMetrics().getNanosToWait());
  }

  /** Does nothing: a Resilience4j rate limiter takes no permit back, so it is asked last. */
  @Override
  public void cancel() {}

  @Override
  public void release(Ending ending, long durationNanos, @Nullable Throwable failure) {
    if (!drains) {
      return;
    }
    try {
      if (ending == Ending.SUCCESS) {
        limiter.onSuccess();
      } else if (ending == Ending.FAILURE && failure != null) {
        limiter.onError(failure);
      }
    } catch (RuntimeException e) {
      // The predicate is a user's code, and the permits of the other limits have to end too.
      LOG.warn(
          "drainPermissionsOnResult of the rate limiter '{}' failed; nothing was drained",
          limiter.getName(),
          e);
    }
  }
}
