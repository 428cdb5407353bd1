// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.fleet.HeldLimits.Held;
import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import org.jspecify.annotations.Nullable;

/**
 * A worker's share of how many tasks the whole fleet may run at once. While nobody has set the
 * limit, it grants everything; slots are counted all the same, so that it can be set at any time.
 * Thread-safe.
 */
final class FleetSlotLimit implements Limit, SharedLimit {
  private final Held held;
  private final boolean strict;
  private volatile boolean active;

  FleetSlotLimit(Held held, boolean strict, boolean active) {
    this.held = held;
    this.strict = strict;
    this.active = active;
  }

  @Override
  public Held held() {
    return held;
  }

  @Override
  public boolean active() {
    return active;
  }

  @Override
  public void activate(boolean on) {
    active = on;
  }

  @Override
  public boolean perThread() {
    return true;
  }

  @Override
  public boolean watchesStarts() {
    return true;
  }

  @Override
  public boolean keptWhileHung() {
    return strict;
  }

  @Override
  public PauseReason reason() {
    return PauseReason.FLEET_LIMIT;
  }

  @Override
  public long tryAcquire(long nowNanos) {
    synchronized (held) {
      if (!active) {
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
  public boolean stillGranted(long nowNanos) {
    if (!active) {
      return true;
    }
    synchronized (held) {
      return held.slots().valid(nowNanos);
    }
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
