// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.limit.Limit;
import dev.sluice.worker.limit.CircuitBreakerLimit;
import dev.sluice.worker.limit.HandlerTimeoutException;
import dev.sluice.worker.limit.HoldLimit;
import dev.sluice.worker.limit.HostBulkheads;
import dev.sluice.worker.limit.TimeLimiterLimit;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.timelimiter.TimeLimiter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HandlerSettingsTest {
  private final HandlerSettings own = new HandlerSettings();
  private final HandlerSettings queue = new HandlerSettings();

  private List<Limit> limits() {
    return own.orElse(queue).limits("q/*", new HoldLimit(), List.of(), new HostBulkheads());
  }

  @Test
  void aTimeLimiterThatWasGivenIsToldHowAttemptsEnd() {
    TimeLimiter limiter = TimeLimiter.of(Duration.ofSeconds(3));
    List<String> events = new ArrayList<>();
    limiter.getEventPublisher().onEvent(event -> events.add(event.getEventType().name()));
    own.timeout(limiter.getTimeLimiterConfig().getTimeoutDuration(), limiter);

    for (Limit limit : limits()) {
      limit.release(Limit.Ending.FAILURE, 1, new HandlerTimeoutException("late", null));
    }

    assertThat(events).containsExactly("TIMEOUT");
    assertThat(own.timeoutOrDefault()).isEqualTo(Duration.ofSeconds(3));
  }

  @Test
  void aTimeoutOfItsOwnReplacesTheTimeLimiterOfTheQueue() {
    queue.timeout(Duration.ofSeconds(3), TimeLimiter.of(Duration.ofSeconds(3)));
    assertThat(limits()).hasAtLeastOneElementOfType(TimeLimiterLimit.class);
    own.timeout(Duration.ofSeconds(1), null);
    assertThat(limits()).doesNotHaveAnyElementsOfTypes(TimeLimiterLimit.class);
  }

  @Test
  void aCircuitBreakerThatWasGivenIsAskedItself() {
    CircuitBreaker breaker = CircuitBreaker.ofDefaults("downstream");
    queue.circuitBreaker(null, breaker);
    breaker.transitionToForcedOpenState();
    assertThat(limits())
        .filteredOn(CircuitBreakerLimit.class::isInstance)
        .singleElement()
        .satisfies(limit -> assertThat(limit.tryAcquire(0)).isPositive());
    own.circuitBreaker(CircuitBreakerConfig.ofDefaults(), null);
    assertThat(limits())
        .filteredOn(CircuitBreakerLimit.class::isInstance)
        .singleElement()
        .satisfies(limit -> assertThat(limit.tryAcquire(0)).isEqualTo(Limit.GRANTED));
  }
}
