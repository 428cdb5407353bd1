// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import dev.sluice.BackpressureException;
import dev.sluice.PermanentTaskException;
import dev.sluice.SnoozeException;
import dev.sluice.flow.retry.FailureClass;
import dev.sluice.flow.retry.RetryDecision;
import dev.sluice.flow.retry.RetryPolicy;
import io.github.resilience4j.core.functions.Either;
import io.github.resilience4j.retry.RetryConfig;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What follows a failure: its class from the exception, and the next attempt from Sluice's own
 * policy or from a Resilience4j {@code RetryConfig}. Predicates and interval functions of such a
 * configuration are a user's code: where one throws, the failure is treated as if it were not set.
 * Thread-safe.
 */
public final class FailurePolicy {
  private static final Logger LOG = LoggerFactory.getLogger(FailurePolicy.class);
  private static final long INTERVAL_MILLIS_MAX = TimeUnit.DAYS.toMillis(1);

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
   * configuration. Intervals are clamped to 0 to 1 day. Its result predicates are not used, since a
   * handler returns nothing.
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
    if (failure instanceof SnoozeException) {
      return FailureClass.SNOOZE;
    }
    if (failure instanceof PermanentTaskException) {
      return FailureClass.FAIL;
    }
    RetryConfig retry = config;
    return retry == null || retries(retry, failure) ? FailureClass.RETRY : FailureClass.FAIL;
  }

  private static boolean retries(RetryConfig retry, Throwable failure) {
    try {
      return retry.getExceptionPredicate().test(failure);
    } catch (RuntimeException e) {
      LOG.warn("The exception predicate of the RetryConfig failed; the task is tried again", e);
      return true;
    }
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
    if (failure instanceof SnoozeException snooze && kind == FailureClass.SNOOZE) {
      return new RetryDecision.RetryAfter(snooze.delay().toNanos(), false);
    }
    RetryDecision decision = policy.decide(kind, attempt, jitter.getAsDouble());
    RetryConfig retry = config;
    if (retry != null
        && kind == FailureClass.RETRY
        && decision instanceof RetryDecision.RetryAfter after) {
      return new RetryDecision.RetryAfter(
          intervalNanos(retry, failure, attempt, after.delayNanos()), true);
    }
    return decision;
  }

  private static long intervalNanos(
      RetryConfig retry, Throwable failure, int attempt, long otherwise) {
    try {
      long millis = retry.getIntervalBiFunction().apply(attempt, Either.left(failure));
      return TimeUnit.MILLISECONDS.toNanos(Math.max(0, Math.min(INTERVAL_MILLIS_MAX, millis)));
    } catch (RuntimeException e) {
      LOG.warn("The interval function of the RetryConfig failed; the default wait is taken", e);
      return otherwise;
    }
  }
}
