// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.limit.Limit.Ending;
import dev.sluice.flow.pause.PauseReason;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class CircuitBreakerLimitTest {
  private static final Throwable DOWN = new IllegalStateException("down");

  private final VirtualClock clock = new VirtualClock();
  private final CircuitBreaker breaker = CircuitBreaker.of("c", config().build());
  private final CircuitBreakerLimit limit = new CircuitBreakerLimit(breaker);

  private static final class VirtualClock extends Clock {
    private Instant now = Instant.EPOCH;

    void advance(Duration time) {
      now = now.plus(time);
    }

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }

  private CircuitBreakerConfig.Builder config() {
    return CircuitBreakerConfig.custom()
        .clock(clock)
        .slidingWindowSize(4)
        .minimumNumberOfCalls(4)
        .failureRateThreshold(50)
        .waitDurationInOpenState(Duration.ofSeconds(10))
        .permittedNumberOfCallsInHalfOpenState(2);
  }

  private void run(Ending ending) {
    assertThat(limit.tryAcquire(0)).isEqualTo(Limit.GRANTED);
    limit.release(ending, 1_000, ending == Ending.FAILURE ? DOWN : null);
  }

  private void open() {
    for (int i = 0; i < 4; i++) {
      run(Ending.FAILURE);
    }
    assertThat(breaker.getState()).isEqualTo(State.OPEN);
  }

  @Test
  void opensWhenTooManyFailAndHoldsThenWithAReason() {
    open();

    assertThat(limit.reason()).isEqualTo(PauseReason.CIRCUIT_OPEN);
    assertThat(limit.tryAcquire(0))
        .as("looked at again soon enough to resume within 200 ms")
        .isBetween(1L, Duration.ofMillis(100).toNanos());
  }

  @Test
  void probesAfterTheWaitAndClosesWhenTheProbesSucceed() {
    open();
    clock.advance(Duration.ofSeconds(11));

    run(Ending.SUCCESS);
    assertThat(breaker.getState()).isEqualTo(State.HALF_OPEN);
    run(Ending.SUCCESS);

    assertThat(breaker.getState()).isEqualTo(State.CLOSED);
  }

  @Test
  void opensAgainWhenTheProbesFail() {
    open();
    clock.advance(Duration.ofSeconds(11));

    run(Ending.FAILURE);
    run(Ending.FAILURE);

    assertThat(breaker.getState()).isEqualTo(State.OPEN);
  }

  @Test
  void takesNoSampleFromAnInterruptedAttempt() {
    for (int i = 0; i < 20; i++) {
      run(Ending.IGNORED);
    }

    assertThat(breaker.getMetrics().getNumberOfBufferedCalls()).isZero();
    assertThat(breaker.getState()).isEqualTo(State.CLOSED);
  }

  @Test
  void losesNoPermitOfAProbeThatIsInterruptedOrNeverStarted() {
    open();
    clock.advance(Duration.ofSeconds(11));

    for (int i = 0; i < 20; i++) {
      run(Ending.IGNORED);
      assertThat(limit.tryAcquire(0)).isEqualTo(Limit.GRANTED);
      limit.cancel();
    }
    assertThat(limit.tryAcquire(0)).isEqualTo(Limit.GRANTED);
    assertThat(limit.tryAcquire(0)).isEqualTo(Limit.GRANTED);

    assertThat(limit.tryAcquire(0)).as("only two probes at once").isGreaterThan(0);
  }

  @Test
  void losesNoPermitToAPredicateThatThrows() {
    CircuitBreaker broken =
        CircuitBreaker.of(
            "c",
            config()
                .recordException(
                    failure -> {
                      throw new IllegalStateException("a broken predicate");
                    })
                .build());
    CircuitBreakerLimit around = new CircuitBreakerLimit(broken);
    broken.transitionToOpenState();
    clock.advance(Duration.ofSeconds(11));

    for (int i = 0; i < 20; i++) {
      assertThat(around.tryAcquire(0)).isEqualTo(Limit.GRANTED);
      around.release(Ending.FAILURE, 1, DOWN);
    }

    assertThat(broken.getState()).isEqualTo(State.HALF_OPEN);
  }

  @Test
  void countsSlowAttemptsInNanoseconds() {
    CircuitBreaker slow =
        CircuitBreaker.of(
            "c",
            config()
                .slowCallDurationThreshold(Duration.ofMillis(100))
                .slowCallRateThreshold(100)
                .build());
    CircuitBreakerLimit around = new CircuitBreakerLimit(slow);

    around.tryAcquire(0);
    around.release(Ending.SUCCESS, Duration.ofMillis(99).toNanos(), null);
    around.tryAcquire(0);
    around.release(Ending.SUCCESS, Duration.ofMillis(101).toNanos(), null);

    assertThat(slow.getMetrics().getNumberOfSlowCalls()).isEqualTo(1);
  }
}
