// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.BackpressureException;
import dev.sluice.PermanentTaskException;
import dev.sluice.RetriableTaskException;
import dev.sluice.SnoozeException;
import dev.sluice.flow.retry.FailureClass;
import dev.sluice.flow.retry.RetryDecision;
import dev.sluice.flow.retry.RetryPolicy;
import io.github.resilience4j.core.IntervalFunction;
import io.github.resilience4j.retry.RetryConfig;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class FailurePolicyTest {
  private static final IOException RESET = new IOException("connection reset");

  private final FailurePolicy own = FailurePolicy.of(RetryPolicy.DEFAULT, () -> 0.5);

  @Test
  void classifiesWhatAHandlerThrows() {
    assertThat(own.classify(new PermanentTaskException("bad"))).isEqualTo(FailureClass.FAIL);
    assertThat(own.classify(new RetriableTaskException("later"))).isEqualTo(FailureClass.RETRY);
    assertThat(own.classify(new BackpressureException("busy", Duration.ofSeconds(1))))
        .isEqualTo(FailureClass.BACKPRESSURE);
    assertThat(own.classify(new SnoozeException("soon", Duration.ZERO)))
        .isEqualTo(FailureClass.SNOOZE);
    assertThat(own.classify(RESET)).isEqualTo(FailureClass.RETRY);
    assertThat(own.classify(new StackOverflowError())).isEqualTo(FailureClass.RETRY);
    assertThat(own.classify(new NoClassDefFoundError("x"))).isEqualTo(FailureClass.RETRY);
  }

  @Test
  void holdsAHandlerAsLongAsItsDownstreamAsked() {
    assertThat(own.retryAfterNanos(new BackpressureException("busy", Duration.ofSeconds(7))))
        .isEqualTo(Duration.ofSeconds(7).toNanos());
    assertThat(own.retryAfterNanos(RESET)).isZero();
  }

  @Test
  void triesAgainAsOftenAsItsPolicySays() {
    assertThat(own.decide(FailureClass.RETRY, RESET, 1))
        .isEqualTo(new RetryDecision.RetryAfter(Duration.ofMillis(500).toNanos(), true));
    assertThat(own.decide(FailureClass.RETRY, RESET, 3))
        .isInstanceOf(RetryDecision.DeadLetter.class);
    assertThat(own.decide(FailureClass.FAIL, RESET, 1))
        .isInstanceOf(RetryDecision.DeadLetter.class);
  }

  @Test
  void aSnoozedTaskComesAgainWhenItsHandlerSaidAndUsesNoAttempt() {
    assertThat(
            own.decide(
                FailureClass.SNOOZE, new SnoozeException("not yet", Duration.ofSeconds(7)), 999))
        .isEqualTo(new RetryDecision.RetryAfter(7_000_000_000L, false));
    assertThat(new SnoozeException("x", Duration.ofDays(2)).delay()).isEqualTo(Duration.ofHours(1));
    assertThat(new SnoozeException("x", Duration.ofSeconds(-1)).delay())
        .isEqualTo(Duration.ofMillis(1));
  }

  @Test
  void usesUpNoAttemptByBackpressureOrInterruption() {
    for (FailureClass kind :
        new FailureClass[] {FailureClass.BACKPRESSURE, FailureClass.INTERRUPTED}) {
      assertThat(own.decide(kind, RESET, 99)).isEqualTo(new RetryDecision.RetryAfter(0, false));
    }
  }

  @Test
  void takesAttemptsAndIntervalsFromAResilience4jRetry() {
    FailurePolicy policy =
        FailurePolicy.of(
            RetryConfig.custom()
                .maxAttempts(4)
                .intervalFunction(IntervalFunction.ofExponentialBackoff(100, 2))
                .build());

    assertThat(policy.decide(FailureClass.RETRY, RESET, 1)).isEqualTo(afterMillis(100));
    assertThat(policy.decide(FailureClass.RETRY, RESET, 3)).isEqualTo(afterMillis(400));
    assertThat(policy.decide(FailureClass.RETRY, RESET, 4))
        .isInstanceOf(RetryDecision.DeadLetter.class);
  }

  @Test
  void takesTheExceptionsToRetryFromAResilience4jRetry() {
    FailurePolicy policy =
        FailurePolicy.of(RetryConfig.custom().retryExceptions(IOException.class).build());

    assertThat(policy.classify(RESET)).isEqualTo(FailureClass.RETRY);
    assertThat(policy.classify(new IllegalStateException("x"))).isEqualTo(FailureClass.FAIL);
    assertThat(policy.classify(new BackpressureException("busy", Duration.ofSeconds(1))))
        .as("backpressure is no failure, whatever the predicate says")
        .isEqualTo(FailureClass.BACKPRESSURE);
  }

  @Test
  void clampsIntervalsThatAreNegativeOrEndless() {
    assertThat(interval(attempt -> -5L)).isEqualTo(afterMillis(0));
    assertThat(interval(attempt -> Long.MAX_VALUE))
        .isEqualTo(afterMillis(Duration.ofDays(1).toMillis()));
  }

  @Test
  void survivesAUsersFunctionsThatThrow() {
    FailurePolicy policy =
        FailurePolicy.of(
            RetryConfig.custom()
                .retryOnException(
                    failure -> {
                      throw new IllegalStateException("a broken predicate");
                    })
                .build());

    assertThat(policy.classify(RESET)).isEqualTo(FailureClass.RETRY);
    assertThat(
            interval(
                attempt -> {
                  throw new IllegalStateException("a broken function");
                }))
        .isEqualTo(afterMillis(500));
  }

  private static RetryDecision interval(IntervalFunction function) {
    return FailurePolicy.of(RetryConfig.custom().intervalFunction(function).build())
        .decide(FailureClass.RETRY, RESET, 1);
  }

  private static RetryDecision afterMillis(long millis) {
    return new RetryDecision.RetryAfter(Duration.ofMillis(millis).toNanos(), true);
  }
}
