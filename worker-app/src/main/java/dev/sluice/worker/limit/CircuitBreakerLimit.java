// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A Resilience4j circuit breaker: while it is open nothing starts and no attempt is used up; the
 * queue waits. Interrupted attempts are no samples.
 */
public final class CircuitBreakerLimit implements Limit {
  /** How often an open or probing breaker is asked again; it does not say when it will change. */
  private static final long LOOK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final CircuitBreaker breaker;

  /** Around that breaker. */
  public CircuitBreakerLimit(CircuitBreaker breaker) {
    this.breaker = breaker;
  }

  @Override
  public PauseReason reason() {
    return PauseReason.CIRCUIT_OPEN;
  }

  @Override
  public long tryAcquire(long nowNanos) {
    return breaker.tryAcquirePermission() ? GRANTED : LOOK_AGAIN_NANOS;
  }

  @Override
  public void cancel() {
    breaker.releasePermission();
  }

  @Override
  public void release(Ending ending, long durationNanos, @Nullable Throwable failure) {
    switch (ending) {
      case SUCCESS -> breaker.onSuccess(durationNanos, TimeUnit.NANOSECONDS);
      case FAILURE ->
          breaker.onError(
              durationNanos,
              TimeUnit.NANOSECONDS,
              failure == null ? new IllegalStateException("failed") : failure);
      case IGNORED -> breaker.releasePermission();
    }
  }
}
