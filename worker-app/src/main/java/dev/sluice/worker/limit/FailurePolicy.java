// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import dev.sluice.BackpressureException;
import dev.sluice.PermanentTaskException;
import dev.sluice.flow.retry.FailureClass;
import dev.sluice.flow.retry.RetryDecision;
import dev.sluice.flow.retry.RetryPolicy;
import io.github.resilience4j.core.functions.Either;
import io.github.resilience4j.retry.RetryConfig;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What follows a failure: its class from the exception, and the next attempt from Sluice's own
 * policy or from a Resilience4j {@code RetryConfig}. Thread-safe.
 */
public final class FailurePolicy {
  private final RetryPolicy policy;
  private final @Nullable RetryConfig config;
  private final DoubleSupplier jitter;

  private FailurePolicy(RetryPolicy policy, @Nullable RetryConfig config, DoubleSupplier jitter) {
    this.policy = policy;
    this.config = config;
    this.jitter = jitter;
  }

  /**
   * Decides by that policy.
   *
   * @param jitter random numbers in [0, 1)
   */
  public static FailurePolicy of(RetryPolicy policy, DoubleSupplier jitter) {
    return new FailurePolicy(policy, null, jitter);
  }

  /**
   * Decides by the attempts, the interval function and the exception predicate of that
   * configuration.
   *
   * @throws IllegalArgumentException if its attempts are not from 1 to 1000
   */
  public static FailurePolicy of(RetryConfig config) {
    return new FailurePolicy(
        RetryPolicy.DEFAULT.withMaxAttempts(config.getMaxAttempts()), config, () -> 0.5);
  }

  /** The class of a failure; an {@link Error} is a failed attempt like any other. */
  public FailureClass classify(Throwable failure) {
    if (failure instanceof BackpressureException) {
      return FailureClass.BACKPRESSURE;
    }
    if (failure instanceof PermanentTaskException) {
      return FailureClass.FAIL;
    }
    RetryConfig retry = config;
    if (retry != null && !retry.getExceptionPredicate().test(failure)) {
      return FailureClass.FAIL;
    }
    return FailureClass.RETRY;
  }

  /** How long a backpressure failure asks its handler to be held; nanoseconds, at least 0. */
  public long retryAfterNanos(Throwable failure) {
    return failure instanceof BackpressureException b ? b.retryAfter().toNanos() : 0;
  }

  /**
   * What follows.
   *
   * @param kind the class of the failure
   * @param attempt the attempt that failed, 1 for the first
   */
  public RetryDecision decide(FailureClass kind, Throwable failure, int attempt) {
    RetryDecision decision = policy.decide(kind, attempt, jitter.getAsDouble());
    RetryConfig retry = config;
    if (retry != null
        && kind == FailureClass.RETRY
        && decision instanceof RetryDecision.RetryAfter) {
      long millis = retry.getIntervalBiFunction().apply(attempt, Either.left(failure));
      return new RetryDecision.RetryAfter(millis * 1_000_000L, true);
    }
    return decision;
  }
}
