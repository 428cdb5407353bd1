// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class RateLimiterLimitTest {
  private static final Duration LONG = Duration.ofHours(1);

  private static RateLimiterConfig.Builder config(Duration period) {
    return RateLimiterConfig.custom().limitForPeriod(3).limitRefreshPeriod(period);
  }

  @Test
  void grantsTheLimitOfThePeriodAndThenSaysWhenToLookAgain() {
    RateLimiterLimit limit = new RateLimiterLimit("r", config(LONG).build());

    assertThat(limit.reason()).isEqualTo(PauseReason.RATE_LIMITED);
    for (int i = 0; i < 3; i++) {
      assertThat(limit.tryAcquire(0)).isEqualTo(Limit.GRANTED);
    }
    assertThat(limit.tryAcquire(0)).isBetween(1L, LONG.toNanos());
  }

  @Test
  void neitherWaitsNorReservesWhateverTimeoutItsConfigurationHas() {
    // A limiter that waited would hang this test for an hour.
    RateLimiterLimit limit =
        new RateLimiterLimit("r", config(LONG).timeoutDuration(LONG.multipliedBy(9)).build());
    for (int i = 0; i < 3; i++) {
      limit.tryAcquire(0);
    }

    for (int i = 0; i < 100; i++) {
      assertThat(limit.tryAcquire(0)).isGreaterThan(0);
    }

    assertThat(limit.limiter().getMetrics().getAvailablePermissions())
        .as("refused starts take nothing from later periods")
        .isZero();
  }

  @Test
  void grantsAgainInTheNextPeriod() {
    RateLimiterLimit limit = new RateLimiterLimit("r", config(Duration.ofMillis(20)).build());
    for (int i = 0; i < 3; i++) {
      limit.tryAcquire(0);
    }

    Awaitility.await()
        .pollInterval(Duration.ofMillis(1))
        .until(() -> limit.tryAcquire(0) == Limit.GRANTED);
  }

  @Test
  void publishesEventsUnderTheNameOfItsHandler() {
    RateLimiterLimit limit = new RateLimiterLimit("orders", config(LONG).build());
    AtomicInteger failures = new AtomicInteger();
    limit.limiter().getEventPublisher().onFailure(event -> failures.incrementAndGet());
    for (int i = 0; i < 4; i++) {
      limit.tryAcquire(0);
    }

    assertThat(failures).hasValue(1);
    assertThat(limit.limiter().getName()).isEqualTo("orders");
  }

  @Test
  void drainsItsPermitsWhereTheConfigurationSaysSo() {
    RateLimiterLimit limit =
        new RateLimiterLimit(
            "r", config(LONG).drainPermissionsOnResult(result -> result.isLeft()).build());

    limit.tryAcquire(0);
    limit.release(Limit.Ending.SUCCESS, 1, null);
    limit.release(Limit.Ending.IGNORED, 1, null);
    assertThat(limit.limiter().getMetrics().getAvailablePermissions()).isEqualTo(2);

    limit.release(Limit.Ending.FAILURE, 1, new IllegalStateException("overloaded"));
    assertThat(limit.limiter().getMetrics().getAvailablePermissions()).isZero();
  }

  @Test
  void survivesAPredicateThatThrows() {
    RateLimiterLimit limit =
        new RateLimiterLimit(
            "r",
            config(LONG)
                .drainPermissionsOnResult(
                    result -> {
                      throw new IllegalStateException("a broken predicate");
                    })
                .build());

    limit.release(Limit.Ending.FAILURE, 1, new Error("x"));

    assertThat(limit.tryAcquire(0)).isEqualTo(Limit.GRANTED);
  }
}
