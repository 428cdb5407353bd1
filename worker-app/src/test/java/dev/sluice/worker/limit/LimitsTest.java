// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import static dev.sluice.flow.limit.Limit.Ending.FAILURE;
import static dev.sluice.flow.limit.Limit.Ending.IGNORED;
import static dev.sluice.flow.limit.Limit.Ending.SUCCESS;
import static dev.sluice.flow.limit.Limit.GRANTED;
import static dev.sluice.flow.limit.Limit.UNTIL_RELEASE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.sluice.flow.pause.PauseReason;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class LimitsTest {
  private static Bulkhead bulkhead(int calls, Duration wait) {
    return Bulkhead.of(
        "b", BulkheadConfig.custom().maxConcurrentCalls(calls).maxWaitDuration(wait).build());
  }

  @Test
  void bulkheadGrantsItsPermitsAndTakesEachBackOnce() {
    Bulkhead bulkhead = bulkhead(2, Duration.ZERO);
    BulkheadLimit limit = new BulkheadLimit(bulkhead);
    assertThat(limit.perThread()).isTrue();
    assertThat(limit.reason()).isEqualTo(PauseReason.BULKHEAD_FULL);
    assertThat(limit.tryAcquire(0)).isEqualTo(GRANTED);
    assertThat(limit.tryAcquire(0)).isEqualTo(GRANTED);
    assertThat(limit.tryAcquire(0)).isEqualTo(UNTIL_RELEASE);
    limit.cancel();
    limit.release(FAILURE, 1, new IllegalStateException());
    assertThat(bulkhead.getMetrics().getAvailableConcurrentCalls()).isEqualTo(2);
  }

  @Test
  void bulkheadThatWouldLetAThreadWaitIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BulkheadLimit(bulkhead(1, Duration.ofSeconds(1))))
        .withMessageContaining("maxWaitDuration")
        .withMessageContaining("PT1S");
  }

  @Test
  void rateLimiterSaysWhenLookingAgainIsWorthItAndNeverWaits() {
    Duration period = Duration.ofHours(1);
    RateLimiterLimit limit =
        new RateLimiterLimit(
            "r",
            RateLimiterConfig.custom()
                .limitForPeriod(3)
                .limitRefreshPeriod(period)
                .timeoutDuration(Duration.ofMinutes(5))
                .build());
    assertThat(limit.perThread()).isFalse();
    for (int i = 0; i < 3; i++) {
      assertThat(limit.tryAcquire(0)).isEqualTo(GRANTED);
    }
    assertThat(limit.tryAcquire(0)).isBetween(1L, period.toNanos());
    assertThat(limit.limiter().getMetrics().getAvailablePermissions()).isZero();
  }

  private static CircuitBreaker breaker() {
    return CircuitBreaker.of(
        "c",
        CircuitBreakerConfig.custom()
            .slidingWindowSize(4)
            .minimumNumberOfCalls(4)
            .waitDurationInOpenState(Duration.ofHours(1))
            .permittedNumberOfCallsInHalfOpenState(1)
            .build());
  }

  @Test
  void circuitOpensByFailuresAndClosesByASuccessfulProbe() {
    CircuitBreaker breaker = breaker();
    CircuitBreakerLimit limit = new CircuitBreakerLimit(breaker);
    for (int i = 0; i < 4; i++) {
      assertThat(limit.tryAcquire(0)).isEqualTo(GRANTED);
      limit.release(FAILURE, 1, null);
    }
    assertThat(breaker.getState()).isEqualTo(CircuitBreaker.State.OPEN);
    assertThat(limit.tryAcquire(0)).isBetween(1L, Long.MAX_VALUE - 1);
    breaker.transitionToHalfOpenState();
    assertThat(limit.tryAcquire(0)).isEqualTo(GRANTED);
    assertThat(limit.tryAcquire(0)).isNotEqualTo(GRANTED);
    limit.release(SUCCESS, 1, null);
    assertThat(breaker.getState()).isEqualTo(CircuitBreaker.State.CLOSED);
  }

  @Test
  void interruptedAndCancelledProbesGiveTheirPermitBackAndAreNoSamples() {
    CircuitBreaker breaker = breaker();
    CircuitBreakerLimit limit = new CircuitBreakerLimit(breaker);
    breaker.transitionToOpenState();
    breaker.transitionToHalfOpenState();
    assertThat(limit.tryAcquire(0)).isEqualTo(GRANTED);
    limit.release(IGNORED, 1, null);
    assertThat(limit.tryAcquire(0)).isEqualTo(GRANTED);
    limit.cancel();
    assertThat(limit.tryAcquire(0)).isEqualTo(GRANTED);
    assertThat(breaker.getMetrics().getNumberOfBufferedCalls()).isZero();
  }

  @Test
  void holdEndsWhenItsTimeIsUpAndALongerOneWins() {
    HoldLimit limit = new HoldLimit();
    long now = Long.MAX_VALUE - 50; // monotonic time may wrap
    assertThat(limit.tryAcquire(now)).isEqualTo(GRANTED);
    limit.holdFor(100, now);
    limit.holdFor(20, now);
    assertThat(limit.tryAcquire(now)).isEqualTo(100);
    assertThat(limit.tryAcquire(now + 99)).isEqualTo(1);
    assertThat(limit.tryAcquire(now + 100)).isEqualTo(GRANTED);
    limit.holdFor(5, now + 100);
    assertThat(limit.tryAcquire(now + 100)).isEqualTo(5);
  }
}
