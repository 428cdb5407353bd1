// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Resilience4j circuit breaker: while it is open nothing starts and no attempt is used up; the
 * queue waits. Interrupted attempts are no samples, and give the permit of a probe back. A permit
 * that was granted before the breaker opened and is given back while it probes lets one more probe
 * through, since Resilience4j does not tell permits apart. Thread-safe.
 */
public final class CircuitBreakerLimit implements Limit {
  private static final Logger LOG = LoggerFactory.getLogger(CircuitBreakerLimit.class);

  /**
   * How often an open or probing breaker is asked again. It does not say how long it stays open
   * (the wait may be a random or growing function, and a user may move it to another state), and
   * work has to start within 200 ms after a reason cleared.
   */
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
  public boolean probes() {
    CircuitBreaker.State state = breaker.getState();
    return state == CircuitBreaker.State.OPEN || state == CircuitBreaker.State.HALF_OPEN;
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
    try {
      switch (ending) {
        case SUCCESS -> breaker.onSuccess(durationNanos, TimeUnit.NANOSECONDS);
        case FAILURE ->
            breaker.onError(
                durationNanos,
                TimeUnit.NANOSECONDS,
                failure == null ? new IllegalStateException("failed") : failure);
        case IGNORED -> breaker.releasePermission();
      }
    } catch (RuntimeException e) {
      // A predicate of the configuration is a user's code. The attempt is then no sample, but its
      // permit must not be lost: a probing breaker would never decide.
      breaker.releasePermission();
      LOG.warn(
          "A predicate of the circuit breaker '{}' failed; the attempt does not count there",
          breaker.getName(),
          e);
    }
  }
}
