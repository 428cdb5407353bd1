// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import io.github.resilience4j.timelimiter.TimeLimiter;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Tells a Resilience4j time limiter how attempts ended, so that its events and metrics are those of
 * the handler. It holds nothing back and stops nothing: its {@code timeoutDuration} is enforced by
 * whoever watches the handler's thread, for which {@code cancelRunningFuture} is always true.
 * Thread-safe.
 */
public final class TimeLimiterLimit implements Limit {
  private final TimeLimiter limiter;

  /** Around that limiter. */
  public TimeLimiterLimit(TimeLimiter limiter) {
    this.limiter = limiter;
  }

  /** The longest that one attempt may take, in nanoseconds. */
  public long timeoutNanos() {
    return limiter.getTimeLimiterConfig().getTimeoutDuration().toNanos();
  }

  /** Never shown, since this limit always grants. */
  @Override
  public PauseReason reason() {
    return PauseReason.RATE_LIMITED;
  }

  @Override
  public long tryAcquire(long nowNanos) {
    return GRANTED;
  }

  @Override
  public void cancel() {}

  @Override
  public void release(Ending ending, long durationNanos, @Nullable Throwable failure) {
    if (ending == Ending.SUCCESS) {
      limiter.onSuccess();
    } else if (ending == Ending.FAILURE && failure instanceof HandlerTimeoutException) {
      limiter.onError(new TimeoutException(failure.getMessage()));
    } else if (ending == Ending.FAILURE && failure != null) {
      limiter.onError(failure);
    }
  }
}
