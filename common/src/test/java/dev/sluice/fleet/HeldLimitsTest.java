// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.share.Share;
import java.util.List;
import org.junit.jupiter.api.Test;

class HeldLimitsTest {
  private static final LimitKey SLOTS = LimitKey.ofQueue(LimitKey.Kind.CONCURRENCY, "q");

  private final HeldLimits limits = new HeldLimits();
  private final HeldLimits.Held held = limits.declare(SLOTS, new Share(0, 10), 0, 0);

  private void grant(long slots, long now) {
    LimitGrant grant = new LimitGrant(SLOTS, new Share(0, slots), 0, 0, 0, 0);
    limits.apply(new Grant("me", 1, 1, List.of(grant), List.of()), now + 1_000, now);
  }

  @Test
  void tellsAtOnceThatWhatItHadTooMuchHasEnded() {
    grant(2, 0);
    assertThat(held.slots().tryAcquire(1)).isTrue();
    assertThat(held.slots().tryAcquire(1)).isTrue();
    grant(1, 2);
    assertThat(limits.reports(key -> 5, 3).get(0).held().units()).isEqualTo(2);
    assertThat(limits.gaveBack(4)).isFalse();
    held.slots().release();
    assertThat(limits.gaveBack(5)).isTrue();
    assertThat(limits.reports(key -> 5, 6).get(0).held().units()).isEqualTo(1);
    assertThat(limits.gaveBack(7)).isFalse();
  }

  @Test
  void reportsNoMoreOftenBecauseALeaseIsOver() {
    grant(2, 0);
    assertThat(held.slots().tryAcquire(1)).isTrue();
    limits.reports(key -> 5, 2);
    assertThat(limits.gaveBack(2_000)).isFalse();
    held.slots().release();
    assertThat(limits.gaveBack(2_001)).isFalse();
  }

  @Test
  void keepsNothingInMindOfALimitThatIsTakenAway() {
    grant(1, 0);
    assertThat(held.slots().tryAcquire(1)).isTrue();
    grant(0, 2);
    limits.reports(key -> 5, 3);
    limits.reports(key -> 5, key -> false, 4);
    held.slots().release();
    assertThat(limits.gaveBack(5)).isFalse();
  }
}
