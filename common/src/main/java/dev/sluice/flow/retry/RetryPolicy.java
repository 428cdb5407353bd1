// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.retry;

import java.time.Duration;

/**
 * Exponential back-off with jitter, and the number of attempts: after attempt {@code n} the next
 * one waits {@code initialInterval × multiplier^(n-1)}, at most {@code maxInterval}, spread by
 * ±{@code randomizationFactor}. The names are those of Resilience4j's interval functions.
 * Immutable.
 *
 * @param maxAttempts attempts in all, the first included; from 1 to 1000
 * @param initialInterval the wait after the first attempt; from 0 to 1 day
 * @param multiplier growth per attempt; from 1 to 100
 * @param maxInterval the longest wait; from the initial interval to 1 day
 * @param randomizationFactor spread of the wait; from 0 to 1
 */
public record RetryPolicy(
    int maxAttempts,
    Duration initialInterval,
    double multiplier,
    Duration maxInterval,
    double randomizationFactor) {
  /** The longest wait that can be set. */
  public static final Duration LONGEST = Duration.ofDays(1);

  /** Three attempts, waiting 500 ms ±50 % and 1 s ±50 %. */
  public static final RetryPolicy DEFAULT =
      new RetryPolicy(3, Duration.ofMillis(500), 2.0, Duration.ofMinutes(1), 0.5);

  public RetryPolicy {
    require(maxAttempts >= 1 && maxAttempts <= 1000, "maxAttempts", maxAttempts, "1 to 1000");
    require(
        !initialInterval.isNegative() && initialInterval.compareTo(LONGEST) <= 0,
        "initialInterval",
        initialInterval,
        "0 to 1 day");
    require(multiplier >= 1 && multiplier <= 100, "multiplier", multiplier, "1 to 100");
    require(
        maxInterval.compareTo(initialInterval) >= 0 && maxInterval.compareTo(LONGEST) <= 0,
        "maxInterval",
        maxInterval,
        "initialInterval (" + initialInterval + ") to 1 day");
    require(
        randomizationFactor >= 0 && randomizationFactor <= 1,
        "randomizationFactor",
        randomizationFactor,
        "0 to 1");
  }

  private static void require(boolean holds, String name, Object value, String range) {
    if (!holds) {
      throw new IllegalArgumentException(name + " is " + value + "; it must be from " + range);
    }
  }

  /** The same policy with another number of attempts. */
  public RetryPolicy withMaxAttempts(int attempts) {
    return new RetryPolicy(attempts, initialInterval, multiplier, maxInterval, randomizationFactor);
  }

  /**
   * How long to wait after a failed attempt.
   *
   * @param attempt the attempt that failed, 1 for the first
   * @param jitter a random number in [0, 1)
   * @return nanoseconds, at least 0
   */
  public long backoffNanos(int attempt, double jitter) {
    double longest = maxInterval.toNanos();
    double wait = initialInterval.toNanos() * Math.pow(multiplier, Math.max(0, attempt - 1));
    double spread = 1 - randomizationFactor + 2 * randomizationFactor * jitter;
    return (long) Math.min(longest, Math.min(longest, wait) * spread);
  }

  /**
   * What to do after a failed attempt.
   *
   * @param failure the class of the failure
   * @param attempt the attempt that failed, 1 for the first
   * @param jitter a random number in [0, 1)
   */
  public RetryDecision decide(FailureClass failure, int attempt, double jitter) {
    return switch (failure) {
      case FAIL -> new RetryDecision.DeadLetter("the failure is permanent");
      case RETRY ->
          attempt >= maxAttempts
              ? new RetryDecision.DeadLetter("all " + maxAttempts + " attempts failed")
              : new RetryDecision.RetryAfter(backoffNanos(attempt, jitter), true);
      case BACKPRESSURE, SNOOZE, INTERRUPTED -> new RetryDecision.RetryAfter(0, false);
    };
  }
}
