// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import java.time.Duration;

/**
 * A circuit breaker, in Resilience4j's words.
 *
 * @param failureRateThreshold percent of failed attempts at which it opens; above 0 to 100
 * @param slowCallRateThreshold percent of slow attempts at which it opens; above 0 to 100
 * @param slowCallDurationThreshold what counts as slow; 1 ms to 1 day
 * @param slidingWindowSize attempts that are looked at; 1 to 100,000
 * @param minimumNumberOfCalls attempts before it may open; 1 to 100,000
 * @param waitDurationInOpenState how long it stays open; 1 ms to 1 day
 * @param permittedNumberOfCallsInHalfOpenState probes after that; 1 to 10,000
 */
public record CircuitBreakerDefinition(
    double failureRateThreshold,
    double slowCallRateThreshold,
    Duration slowCallDurationThreshold,
    int slidingWindowSize,
    int minimumNumberOfCalls,
    Duration waitDurationInOpenState,
    int permittedNumberOfCallsInHalfOpenState) {
  // Before DEFAULT, whose constructor needs them.
  private static final Duration SHORTEST = Duration.ofMillis(1);
  private static final Duration LONGEST = Duration.ofDays(1);

  /** Resilience4j's own defaults. */
  public static final CircuitBreakerDefinition DEFAULT =
      new CircuitBreakerDefinition(
          50, 100, Duration.ofMinutes(1), 100, 100, Duration.ofMinutes(1), 10);

  public CircuitBreakerDefinition {
    Ranges.check("failureRateThreshold", failureRateThreshold, 0.001, 100.0);
    Ranges.check("slowCallRateThreshold", slowCallRateThreshold, 0.001, 100.0);
    Ranges.check("slowCallDurationThreshold", slowCallDurationThreshold, SHORTEST, LONGEST);
    Ranges.check("slidingWindowSize", slidingWindowSize, 1, 100_000);
    Ranges.check("minimumNumberOfCalls", minimumNumberOfCalls, 1, 100_000);
    Ranges.check("waitDurationInOpenState", waitDurationInOpenState, SHORTEST, LONGEST);
    Ranges.check(
        "permittedNumberOfCallsInHalfOpenState", permittedNumberOfCallsInHalfOpenState, 1, 10_000);
  }
}
