// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import dev.sluice.flow.retry.RetryPolicy;
import java.time.Duration;
import java.util.Optional;

/**
 * How the tasks of one type are worked. Immutable.
 *
 * @param spec the handler, as {@code work --handler} takes it; empty where code provides it
 * @param timeout the longest that one attempt may take; 1 ms to 7 days
 * @param retry how often and when a failed task is tried again
 * @param bulkhead limits concurrency in one worker
 * @param rateLimiter limits starts in one worker
 * @param circuitBreaker holds the tasks back while nearly all attempts fail
 */
public record HandlerDefinition(
    Optional<String> spec,
    Duration timeout,
    RetryPolicy retry,
    Optional<BulkheadDefinition> bulkhead,
    Optional<RateLimiterDefinition> rateLimiter,
    Optional<CircuitBreakerDefinition> circuitBreaker) {
  /** One minute per attempt, the default retries, no limits. */
  public static final HandlerDefinition DEFAULT =
      new HandlerDefinition(
          Optional.empty(),
          Duration.ofMinutes(1),
          RetryPolicy.DEFAULT,
          Optional.empty(),
          Optional.empty(),
          Optional.empty());

  public HandlerDefinition {
    Ranges.check("timeout", timeout, Duration.ofMillis(1), Duration.ofDays(7));
  }

  /** The same with another handler. */
  public HandlerDefinition withSpec(String handler) {
    return new HandlerDefinition(
        Optional.of(handler), timeout, retry, bulkhead, rateLimiter, circuitBreaker);
  }

  /** The same with another time-out. */
  public HandlerDefinition withTimeout(Duration longest) {
    return new HandlerDefinition(spec, longest, retry, bulkhead, rateLimiter, circuitBreaker);
  }

  /** The same with other retries. */
  public HandlerDefinition withRetry(RetryPolicy policy) {
    return new HandlerDefinition(spec, timeout, policy, bulkhead, rateLimiter, circuitBreaker);
  }

  /** The same with a bulkhead. */
  public HandlerDefinition withBulkhead(BulkheadDefinition limit) {
    return new HandlerDefinition(
        spec, timeout, retry, Optional.of(limit), rateLimiter, circuitBreaker);
  }

  /** The same with a rate limiter. */
  public HandlerDefinition withRateLimiter(RateLimiterDefinition limit) {
    return new HandlerDefinition(
        spec, timeout, retry, bulkhead, Optional.of(limit), circuitBreaker);
  }

  /** The same with a circuit breaker. */
  public HandlerDefinition withCircuitBreaker(CircuitBreakerDefinition breaker) {
    return new HandlerDefinition(spec, timeout, retry, bulkhead, rateLimiter, Optional.of(breaker));
  }
}
