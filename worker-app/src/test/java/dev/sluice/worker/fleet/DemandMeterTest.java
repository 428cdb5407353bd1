// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.fleet.LimitKey;
import dev.sluice.worker.engine.HandlerLoad;
import java.util.List;
import org.junit.jupiter.api.Test;

class DemandMeterTest {
  private static final long MILLI = 1_000_000;
  private static final int CONCURRENCY = 16;

  private final DemandMeter rate = new DemandMeter(LimitKey.Kind.RATE);
  private final DemandMeter slots = new DemandMeter(LimitKey.Kind.CONCURRENCY);
  private long now = -5 * MILLI;
  private long started;

  private void look(int ready, int starts, long inUse) {
    now += 40 * MILLI;
    started += starts;
    List<HandlerLoad> loads =
        List.of(new HandlerLoad("q", "*", ready, started, started * 5 * MILLI, CONCURRENCY));
    rate.look(loads, 0, now);
    slots.look(loads, inUse, now);
  }

  @Test
  void whoHasNothingToDoDemandsNothing() {
    look(0, 0, 0);
    look(0, 0, 0);
    assertThat(rate.demand()).isZero();
    assertThat(slots.demand()).isZero();
  }

  @Test
  void whatWaitsIsDemandedFasterThanWhatStarts() {
    for (int i = 0; i < 50; i++) {
      look(100, 10, 4);
    }
    // 250 starts per second, and 100 that wait: more than there is a share for, and so told.
    assertThat(rate.demand()).isGreaterThan(500_000);
    assertThat(slots.demand()).isEqualTo(CONCURRENCY);
  }

  @Test
  void nobodyDemandsMoreThanItsThreadsCanWork() {
    for (int i = 0; i < 50; i++) {
      look(10_000, 100, CONCURRENCY);
    }
    // 16 threads, 5 ms each: 3,200 per second.
    assertThat(rate.demand()).isBetween(3_000_000L, 3_400_000L);
  }

  @Test
  void whoBecomesIdleSaysSoWithinHalfASecond() {
    for (int i = 0; i < 50; i++) {
      look(5, 10, 4);
    }
    rate.reported();
    long before = rate.demand();
    for (int i = 0; i < 12; i++) {
      look(0, 0, 0);
    }
    assertThat(rate.demand()).isLessThan(before / 3);
    assertThat(rate.changed()).isTrue();
    for (int i = 0; i < 60; i++) {
      look(0, 0, 0);
    }
    assertThat(rate.demand()).isZero();
    assertThat(slots.demand()).isZero();
  }

  @Test
  void aSteadyDemandIsNotToldAgain() {
    for (int i = 0; i < 50; i++) {
      look(0, 10, 4);
    }
    rate.reported();
    for (int i = 0; i < 50; i++) {
      look(0, i % 2 == 0 ? 9 : 11, 4);
      assertThat(rate.changed()).isFalse();
    }
  }
}
