// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.fleet.HeldLimits.Held;
import org.jspecify.annotations.Nullable;

/**
 * A share of a concurrency: a slot per thread that works tasks. Slots are counted while nobody has
 * set the limit, too, so that it can be set at any time.
 */
final class FleetSlotLimit extends SharedLimit {
  private final boolean strict;

  FleetSlotLimit(Held held, boolean strict, boolean active) {
    super(held, active);
    this.strict = strict;
  }

  @Override
  public boolean perThread() {
    return true;
  }

  @Override
  public boolean keptWhileHung() {
    return strict;
  }

  @Override
  public long tryAcquire(long nowNanos) {
    synchronized (held) {
      if (!active()) {
        held.slots().take();
        return GRANTED;
      }
      if (!held.slots().tryAcquire(nowNanos)) {
        return UNTIL_RELEASE;
      }
      held.countStart();
      return GRANTED;
    }
  }

  @Override
  boolean valid(long nowNanos) {
    return held.slots().valid(nowNanos);
  }

  @Override
  public void cancel() {
    synchronized (held) {
      held.slots().release();
    }
  }

  @Override
  public void release(Ending ending, long durationNanos, @Nullable Throwable failure) {
    cancel();
  }
}
