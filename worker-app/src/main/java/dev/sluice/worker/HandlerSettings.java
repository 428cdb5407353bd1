// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import dev.sluice.flow.limit.DeadLetterGuard;
import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.retry.RetryPolicy;
import dev.sluice.queue.BulkheadDefinition;
import dev.sluice.queue.CircuitBreakerDefinition;
import dev.sluice.queue.FleetLimitsDefinition;
import dev.sluice.queue.HandlerDefinition;
import dev.sluice.queue.RateLimiterDefinition;
import dev.sluice.worker.handler.HandlerSpec;
import dev.sluice.worker.lease.LeaseDesk;
import dev.sluice.worker.limit.BulkheadLimit;
import dev.sluice.worker.limit.CircuitBreakerLimit;
import dev.sluice.worker.limit.FailurePolicy;
import dev.sluice.worker.limit.HoldLimit;
import dev.sluice.worker.limit.HostBulkheads;
import dev.sluice.worker.limit.OneAtATime;
import dev.sluice.worker.limit.RateLimiterLimit;
import dev.sluice.worker.limit.TimeLimiterLimit;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.retry.RetryConfig;
import io.github.resilience4j.timelimiter.TimeLimiter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/** How one handler is limited and retried, in Resilience4j's own configurations. */
final class HandlerSettings {
  @Nullable Duration timeout;
  @Nullable RetryPolicy retryPolicy;
  @Nullable RetryConfig retry;
  @Nullable BulkheadConfig bulkhead;
  @Nullable RateLimiterConfig rateLimiter;
  @Nullable CircuitBreakerConfig circuitBreaker;
  @Nullable CircuitBreaker givenCircuitBreaker;
  @Nullable Boolean deadLetterGuard;

  /** The host that it calls, whose bulkhead it shares with others; null if none is known. */
  @Nullable String host;

  /** How many tasks are worked at once, each with a thread; 0 for one by one. */
  int batchSize;

  /** Hands the tasks to whoever takes them; null where a handler works them. */
  @Nullable LeaseDesk desk;

  @Nullable TimeLimiter givenTimeLimiter;
  FleetLimitsDefinition fleet = FleetLimitsDefinition.NONE;
  @Nullable String destination;

  static HandlerSettings of(HandlerDefinition definition) {
    HandlerSettings settings = new HandlerSettings();
    settings.timeout = definition.timeout();
    settings.retryPolicy = definition.retry();
    settings.deadLetterGuard = definition.deadLetterGuard();
    settings.fleet = definition.fleet();
    settings.destination = definition.destination().orElse(null);
    settings.host = definition.spec().map(HandlerSpec::host).orElse(null);
    definition.bulkhead().ifPresent(b -> settings.bulkhead = config(b));
    definition.rateLimiter().ifPresent(r -> settings.rateLimiter = config(r));
    definition.circuitBreaker().ifPresent(c -> settings.circuitBreaker = config(c));
    return settings;
  }

  static BulkheadConfig config(BulkheadDefinition d) {
    return BulkheadConfig.custom()
        .maxConcurrentCalls(d.maxConcurrentCalls())
        .maxWaitDuration(Duration.ZERO)
        .build();
  }

  static RateLimiterConfig config(RateLimiterDefinition d) {
    return RateLimiterConfig.custom()
        .limitForPeriod(d.limitForPeriod())
        .limitRefreshPeriod(d.limitRefreshPeriod())
        .timeoutDuration(Duration.ZERO)
        .build();
  }

  static CircuitBreakerConfig config(CircuitBreakerDefinition d) {
    return CircuitBreakerConfig.custom()
        .failureRateThreshold((float) d.failureRateThreshold())
        .slowCallRateThreshold((float) d.slowCallRateThreshold())
        .slowCallDurationThreshold(d.slowCallDurationThreshold())
        .slidingWindowSize(d.slidingWindowSize())
        .minimumNumberOfCalls(d.minimumNumberOfCalls())
        .waitDurationInOpenState(d.waitDurationInOpenState())
        .permittedNumberOfCallsInHalfOpenState(d.permittedNumberOfCallsInHalfOpenState())
        .build();
  }

  void timeout(Duration most, @Nullable TimeLimiter told) {
    timeout = most;
    givenTimeLimiter = told;
  }

  void circuitBreaker(@Nullable CircuitBreakerConfig config, @Nullable CircuitBreaker given) {
    circuitBreaker = config;
    givenCircuitBreaker = given;
  }

  /** What is not set here is taken from there. */
  HandlerSettings orElse(HandlerSettings other) {
    HandlerSettings both = new HandlerSettings();
    both.fleet = fleet;
    both.destination = destination;
    both.timeout = timeout == null ? other.timeout : timeout;
    boolean own = retry != null || retryPolicy != null;
    both.retry = own ? retry : other.retry;
    both.retryPolicy = own ? retryPolicy : other.retryPolicy;
    both.bulkhead = bulkhead == null ? other.bulkhead : bulkhead;
    both.rateLimiter = rateLimiter == null ? other.rateLimiter : rateLimiter;
    boolean ownBreaker = circuitBreaker != null || givenCircuitBreaker != null;
    both.circuitBreaker = ownBreaker ? circuitBreaker : other.circuitBreaker;
    both.givenCircuitBreaker = ownBreaker ? givenCircuitBreaker : other.givenCircuitBreaker;
    both.desk = desk;
    both.host = host;
    both.batchSize = batchSize;
    both.deadLetterGuard = deadLetterGuard == null ? other.deadLetterGuard : deadLetterGuard;
    both.givenTimeLimiter = timeout == null ? other.givenTimeLimiter : givenTimeLimiter;
    return both;
  }

  Duration timeoutOrDefault() {
    Duration set = timeout;
    return set == null ? HandlerDefinition.DEFAULT.timeout() : set;
  }

  FailurePolicy failures(DoubleSupplier jitter) {
    RetryConfig config = retry;
    if (config != null) {
      return FailurePolicy.of(config);
    }
    RetryPolicy policy = retryPolicy;
    return FailurePolicy.of(policy == null ? RetryPolicy.DEFAULT : policy, jitter);
  }

  /** The limits in the order they are asked; the rate limiter last, since it takes nothing back. */
  List<Limit> limits(String name, HoldLimit hold, List<Limit> ofFleet, HostBulkheads hosts) {
    List<Limit> limits = new ArrayList<>();
    limits.add(hold);
    BulkheadConfig b = bulkhead;
    String called = host;
    if (b != null && called != null) {
      limits.add(hosts.of(called, b));
    } else if (b != null) {
      limits.add(
          new BulkheadLimit(
              Bulkhead.of(name, BulkheadConfig.from(b).maxWaitDuration(Duration.ZERO).build())));
    }
    CircuitBreakerConfig c = circuitBreaker;
    CircuitBreaker breaker = c == null ? givenCircuitBreaker : CircuitBreaker.of(name, c);
    if (breaker != null) {
      limits.add(new CircuitBreakerLimit(breaker));
    } else if (!Boolean.FALSE.equals(deadLetterGuard)) {
      limits.add(new DeadLetterGuard(timeoutOrDefault().toNanos(), new GuardLog(name)));
    }
    TimeLimiter t = givenTimeLimiter;
    if (t != null) {
      limits.add(new TimeLimiterLimit(t));
    }
    limits.addAll(ofFleet);
    if (batchSize > 0) {
      limits.add(new OneAtATime());
    }
    LeaseDesk d = desk;
    if (d != null) {
      limits.add(d.limit());
    }
    RateLimiterConfig r = rateLimiter;
    if (r != null) {
      limits.add(new RateLimiterLimit(name, r));
    }
    return limits;
  }
}
