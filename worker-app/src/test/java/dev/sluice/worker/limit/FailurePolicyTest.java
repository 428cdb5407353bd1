// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.BackpressureException;
import dev.sluice.PermanentTaskException;
import dev.sluice.flow.retry.FailureClass;
import dev.sluice.flow.retry.RetryDecision;
import dev.sluice.flow.retry.RetryPolicy;
import io.github.resilience4j.core.IntervalFunction;
import io.github.resilience4j.retry.RetryConfig;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class FailurePolicyTest {
  private final FailurePolicy own = FailurePolicy.of(RetryPolicy.DEFAULT, () -> 0.5);

  @Test
  void classIsFoundByTheException() {
    assertThat(own.classify(new BackpressureException("busy", Duration.ofSeconds(2))))
        .isEqualTo(FailureClass.BACKPRESSURE);
    assertThat(own.classify(new PermanentTaskException("bad"))).isEqualTo(FailureClass.FAIL);
    assertThat(own.classify(new IOException())).isEqualTo(FailureClass.RETRY);
    assertThat(own.classify(new StackOverflowError())).isEqualTo(FailureClass.RETRY);
  }

  @Test
  void backpressureSaysHowLongTheHandlerIsHeld() {
    assertThat(own.retryAfterNanos(new BackpressureException("busy", Duration.ofSeconds(2))))
        .isEqualTo(2_000_000_000L);
    assertThat(own.retryAfterNanos(new BackpressureException("busy", Duration.ofDays(-1))))
        .isEqualTo(1_000_000L);
    assertThat(own.retryAfterNanos(new BackpressureException("busy", Duration.ofDays(365))))
        .isEqualTo(Duration.ofHours(1).toNanos());
    assertThat(own.retryAfterNanos(new IOException())).isZero();
  }

  @Test
  void ownPolicyDecides() {
    assertThat(own.decide(FailureClass.RETRY, new IOException(), 2))
        .isEqualTo(new RetryDecision.RetryAfter(1_000_000_000L, true));
    assertThat(own.decide(FailureClass.RETRY, new IOException(), 3))
        .isInstanceOf(RetryDecision.DeadLetter.class);
  }

  @Test
  void resilience4jConfigurationDecidesByItsAttemptsIntervalAndPredicate() {
    FailurePolicy policy =
        FailurePolicy.of(
            RetryConfig.custom()
                .maxAttempts(5)
                .intervalFunction(IntervalFunction.of(70))
                .ignoreExceptions(IllegalArgumentException.class)
                .build());
    assertThat(policy.classify(new IllegalArgumentException())).isEqualTo(FailureClass.FAIL);
    assertThat(policy.classify(new IOException())).isEqualTo(FailureClass.RETRY);
    assertThat(policy.decide(FailureClass.RETRY, new IOException(), 4))
        .isEqualTo(new RetryDecision.RetryAfter(70_000_000L, true));
    assertThat(policy.decide(FailureClass.RETRY, new IOException(), 5))
        .isInstanceOf(RetryDecision.DeadLetter.class);
  }
}
