// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.limit.Limit;
import org.junit.jupiter.api.Test;

class HoldLimitTest {
  private final HoldLimit limit = new HoldLimit();

  @Test
  void grantsUntilItIsAskedToHold() {
    assertThat(limit.tryAcquire(5)).isEqualTo(Limit.GRANTED);
  }

  @Test
  void saysHowLongItStillHoldsAndGrantsAfterwards() {
    limit.holdFor(100, 1_000);

    assertThat(limit.tryAcquire(1_000)).isEqualTo(100);
    assertThat(limit.tryAcquire(1_099)).isEqualTo(1);
    assertThat(limit.tryAcquire(1_100)).isEqualTo(Limit.GRANTED);
    assertThat(limit.tryAcquire(1_050)).as("an ended hold is forgotten").isZero();
  }

  @Test
  void keepsTheLongerOfTwoHolds() {
    limit.holdFor(100, 0);
    limit.holdFor(10, 20);
    assertThat(limit.tryAcquire(30)).isEqualTo(70);

    limit.holdFor(200, 30);
    assertThat(limit.tryAcquire(30)).isEqualTo(200);
  }

  @Test
  void holdsAcrossTheOverflowOfTheMonotonicClock() {
    long now = Long.MAX_VALUE - 10;
    limit.holdFor(100, now);

    assertThat(limit.tryAcquire(now + 60)).isEqualTo(40);
    assertThat(limit.tryAcquire(now + 100)).isEqualTo(Limit.GRANTED);
  }
}
