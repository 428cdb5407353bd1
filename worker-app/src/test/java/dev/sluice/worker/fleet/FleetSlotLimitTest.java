// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.fleet.Grant;
import dev.sluice.fleet.HeldLimits;
import dev.sluice.fleet.LimitGrant;
import dev.sluice.fleet.LimitKey;
import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.share.Share;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class FleetSlotLimitTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long HOLD = 14 * SECOND;
  private static final LimitKey SLOTS = LimitKey.ofQueue(LimitKey.Kind.CONCURRENCY, "q");

  private final AtomicInteger ends = new AtomicInteger();
  private final HeldLimits limits = new HeldLimits();

  private FleetSlotLimit limit(boolean strict) {
    HeldLimits.Held held = limits.declare(SLOTS, new Share(0, 2), strict ? HOLD : 0, 0);
    FleetSlotLimit limit = new FleetSlotLimit(held, strict, true, which -> ends.incrementAndGet());
    LimitGrant grant = new LimitGrant(SLOTS, new Share(0, 2), 0, 0, 0, HOLD);
    limits.apply(new Grant("me", 1, 1, List.of(grant), List.of()), 5 * SECOND, 0);
    return limit;
  }

  @Test
  void aHandlerThatReturnsAfterItsSlotMayBeAnothersEndsTheProcess() {
    FleetSlotLimit limit = limit(true);
    assertThat(limit.tryAcquire(SECOND)).isEqualTo(Limit.GRANTED);
    limit.returned(6 * SECOND);
    limit.returned(15 * SECOND);
    assertThat(ends).as("within the time that its slot is kept for it").hasValue(0);
    limit.returned(17 * SECOND);
    assertThat(ends).hasValue(1);
  }

  @Test
  void withoutATaskOrWithALeaseNothingHasOutlivedIt() {
    FleetSlotLimit limit = limit(true);
    limit.returned(30 * SECOND);
    assertThat(ends).hasValue(0);
  }

  @Test
  void whereItIsNotStrictTasksMayRunOn() {
    FleetSlotLimit limit = limit(false);
    assertThat(limit.tryAcquire(SECOND)).isEqualTo(Limit.GRANTED);
    limit.returned(60 * SECOND);
    assertThat(ends).hasValue(0);
  }
}
