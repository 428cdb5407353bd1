// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import dev.sluice.ConfigException;
import dev.sluice.flow.retry.RetryPolicy;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How the tasks of one type are worked. Immutable.
 *
 * @param spec the handler, as {@code work --handler} takes it; empty where code provides it
 * @param timeout the longest that one attempt may take; 1 ms to 7 days
 * @param retry how often and when a failed task is tried again
 * @param bulkhead limits concurrency in one worker
 * @param rateLimiter limits starts in one worker
 * @param circuitBreaker holds the tasks back while nearly all attempts fail
 * @param deadLetterGuard whether the tasks are held back while everything fails, so that a
 *     downstream that is away does not turn the queue into dead letters; not where there is a
 *     circuit breaker
 * @param fleet limits that all workers share
 * @param destination handlers that name the same one share their fleet limits, whatever their queue
 */
public record HandlerDefinition(
    Optional<String> spec,
    Duration timeout,
    RetryPolicy retry,
    Optional<BulkheadDefinition> bulkhead,
    Optional<RateLimiterDefinition> rateLimiter,
    Optional<CircuitBreakerDefinition> circuitBreaker,
    boolean deadLetterGuard,
    FleetLimitsDefinition fleet,
    Optional<String> destination) {
  private static final Pattern DESTINATION = Pattern.compile("[A-Za-z0-9._:/-]{1,200}");

  /** One minute per attempt, the default retries, no limits. */
  public static final HandlerDefinition DEFAULT =
      new HandlerDefinition(
          Optional.empty(),
          Duration.ofMinutes(1),
          RetryPolicy.DEFAULT,
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          true,
          FleetLimitsDefinition.NONE,
          Optional.empty());

  public HandlerDefinition {
    Ranges.check("timeout", timeout, Duration.ofMillis(1), Duration.ofDays(7));
    destination.ifPresent(HandlerDefinition::checkDestination);
    if (destination.isPresent() && fleet.isNone()) {
      throw new ConfigException(
          "destination is '"
              + destination.get()
              + "', but neither fleetRate nor fleetConcurrency is set; set one, or remove it");
    }
  }

  /**
   * Refuses a name that is none for a destination.
   *
   * @throws ConfigException if it is none
   */
  public static void checkDestination(String name) {
    if (!DESTINATION.matcher(name).matches()) {
      throw new ConfigException(
          "destination is '"
              + name
              + "'; it must be 1 to 200 letters, digits, dots, dashes, underscores, colons or"
              + " slashes");
    }
  }

  /** The same with another handler. */
  public HandlerDefinition withSpec(String handler) {
    return new HandlerDefinition(
        Optional.of(handler),
        timeout,
        retry,
        bulkhead,
        rateLimiter,
        circuitBreaker,
        deadLetterGuard,
        fleet,
        destination);
  }

  /** The same with another time-out. */
  public HandlerDefinition withTimeout(Duration longest) {
    return new HandlerDefinition(
        spec,
        longest,
        retry,
        bulkhead,
        rateLimiter,
        circuitBreaker,
        deadLetterGuard,
        fleet,
        destination);
  }

  /** The same with other retries. */
  public HandlerDefinition withRetry(RetryPolicy policy) {
    return new HandlerDefinition(
        spec,
        timeout,
        policy,
        bulkhead,
        rateLimiter,
        circuitBreaker,
        deadLetterGuard,
        fleet,
        destination);
  }

  /** The same with a bulkhead. */
  public HandlerDefinition withBulkhead(BulkheadDefinition limit) {
    return new HandlerDefinition(
        spec,
        timeout,
        retry,
        Optional.of(limit),
        rateLimiter,
        circuitBreaker,
        deadLetterGuard,
        fleet,
        destination);
  }

  /** The same with a rate limiter. */
  public HandlerDefinition withRateLimiter(RateLimiterDefinition limit) {
    return new HandlerDefinition(
        spec,
        timeout,
        retry,
        bulkhead,
        Optional.of(limit),
        circuitBreaker,
        deadLetterGuard,
        fleet,
        destination);
  }

  /** The same with a circuit breaker. */
  public HandlerDefinition withCircuitBreaker(CircuitBreakerDefinition breaker) {
    return new HandlerDefinition(
        spec,
        timeout,
        retry,
        bulkhead,
        rateLimiter,
        Optional.of(breaker),
        deadLetterGuard,
        fleet,
        destination);
  }

  /** The same with limits that all workers share. */
  public HandlerDefinition withFleet(FleetLimitsDefinition limits, Optional<String> sharedAs) {
    return new HandlerDefinition(
        spec,
        timeout,
        retry,
        bulkhead,
        rateLimiter,
        circuitBreaker,
        deadLetterGuard,
        limits,
        sharedAs);
  }
}
