// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.retry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.sluice.testing.Seeds;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RetryPolicyTest {
  private static final RetryPolicy EXACT =
      new RetryPolicy(4, Duration.ofMillis(100), 3, Duration.ofMillis(500), 0);

  @Test
  void waitsGrowUpToTheLongest() {
    assertThat(EXACT.backoffNanos(1, 0.9)).isEqualTo(100_000_000);
    assertThat(EXACT.backoffNanos(2, 0.9)).isEqualTo(300_000_000);
    assertThat(EXACT.backoffNanos(3, 0.9)).isEqualTo(500_000_000);
    assertThat(EXACT.backoffNanos(1_000, 0.9)).isEqualTo(500_000_000);
  }

  @Test
  void jitterSpreadsTheWaitAroundItsMiddle() {
    RetryPolicy policy = new RetryPolicy(4, Duration.ofMillis(100), 1, Duration.ofSeconds(1), 0.5);
    assertThat(policy.backoffNanos(1, 0)).isEqualTo(50_000_000);
    assertThat(policy.backoffNanos(1, 0.5)).isEqualTo(100_000_000);
    assertThat(policy.backoffNanos(1, 0.999999)).isBetween(149_000_000L, 150_000_000L);
  }

  @Test
  void givesUpAfterTheLastAttempt() {
    assertThat(EXACT.decide(FailureClass.RETRY, 3, 0))
        .isEqualTo(new RetryDecision.RetryAfter(500_000_000, true));
    assertThat(EXACT.decide(FailureClass.RETRY, 4, 0))
        .isEqualTo(new RetryDecision.DeadLetter("all 4 attempts failed"));
  }

  @Test
  void aPermanentFailureIsNotTriedAgain() {
    assertThat(EXACT.decide(FailureClass.FAIL, 1, 0)).isInstanceOf(RetryDecision.DeadLetter.class);
  }

  @Test
  void backpressureAndInterruptionUseUpNoAttempt() {
    for (FailureClass kind :
        new FailureClass[] {FailureClass.BACKPRESSURE, FailureClass.INTERRUPTED}) {
      assertThat(EXACT.decide(kind, 1_000, 0)).isEqualTo(new RetryDecision.RetryAfter(0, false));
    }
  }

  @Test
  void everyWaitIsFromZeroToTheLongest() {
    Seeds.each(
        2_000,
        random -> {
          Duration first = Duration.ofMillis(random.nextLong(86_400_001));
          Duration longest = Duration.ofMillis(random.nextLong(first.toMillis(), 86_400_001));
          RetryPolicy policy =
              new RetryPolicy(
                  random.nextInt(1, 1_001),
                  random.nextInt(5) == 0 ? Duration.ZERO : first,
                  1 + random.nextDouble(99),
                  longest,
                  random.nextDouble());
          long wait = policy.backoffNanos(random.nextInt(1, 1_001), random.nextDouble());
          assertThat(wait).isBetween(0L, longest.toNanos());
        });
  }

  @Test
  void refusesWhatIsOutOfRangeAndSaysTheRange() {
    Duration second = Duration.ofSeconds(1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RetryPolicy(0, second, 1, second, 0))
        .withMessage("maxAttempts is 0; it must be from 1 to 1000");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RetryPolicy(1, second.negated(), 1, second, 0))
        .withMessageContaining("initialInterval is PT-1S");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RetryPolicy(1, second, 0.5, second, 0))
        .withMessageContaining("multiplier");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RetryPolicy(1, second, Double.NaN, second, 0))
        .withMessageContaining("multiplier");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RetryPolicy(1, second, 1, Duration.ofMillis(1), 0))
        .withMessageContaining("maxInterval");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RetryPolicy(1, second, 1, second, 1.1))
        .withMessageContaining("randomizationFactor");
  }
}
