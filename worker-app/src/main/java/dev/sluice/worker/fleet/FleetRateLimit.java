// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.fleet.HeldLimits.Held;
import dev.sluice.flow.lease.LeasedRate;
import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import dev.sluice.time.Clock;
import org.jspecify.annotations.Nullable;

/**
 * A worker's share of a rate that the whole fleet has together. While nobody has set the limit, it
 * grants everything. Thread-safe.
 */
final class FleetRateLimit implements Limit, SharedLimit {
  private final Held held;
  private final Clock clock;
  private volatile boolean active;

  FleetRateLimit(Held held, boolean active, Clock clock) {
    this.held = held;
    this.active = active;
    this.clock = clock;
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
  public boolean watchesStarts() {
    return true;
  }

  @Override
  public PauseReason reason() {
    return PauseReason.FLEET_LIMIT;
  }

  @Override
  public long tryAcquire(long nowNanos) {
    if (!active) {
      return GRANTED;
    }
    synchronized (held) {
      long wait = held.rate().tryAcquire(nowNanos);
      return wait == LeasedRate.UNTIL_GRANT ? UNTIL_RELEASE : wait;
    }
  }

  @Override
  public boolean stillGranted(long nowNanos) {
    if (!active) {
      return true;
    }
    synchronized (held) {
      return held.rate().valid(nowNanos);
    }
  }

  @Override
  public void begun(long nowNanos) {
    if (active) {
      synchronized (held) {
        held.rate().begun(nowNanos);
      }
    }
  }

  @Override
  public void cancel() {
    if (active) {
      synchronized (held) {
        held.rate().cancel(clock.nanos());
      }
    }
  }

  @Override
  public void release(Ending ending, long durationNanos, @Nullable Throwable failure) {}
}
