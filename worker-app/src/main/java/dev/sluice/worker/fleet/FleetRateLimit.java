// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.fleet.HeldLimits.Held;
import dev.sluice.flow.lease.LeasedRate;
import dev.sluice.time.Clock;
import org.jspecify.annotations.Nullable;

/** A share of a rate: a token per start, which keeps its place until the start has happened. */
final class FleetRateLimit extends SharedLimit {
  private final Clock clock;

  FleetRateLimit(Held held, boolean active, Clock clock) {
    super(held, active);
    this.clock = clock;
  }

  @Override
  public long tryAcquire(long nowNanos) {
    if (!active()) {
      return GRANTED;
    }
    synchronized (held) {
      long wait = held.rate().tryAcquire(nowNanos);
      return wait == LeasedRate.UNTIL_GRANT ? UNTIL_RELEASE : wait;
    }
  }

  @Override
  boolean valid(long nowNanos) {
    return held.rate().valid(nowNanos);
  }

  @Override
  public void begun(long nowNanos) {
    if (active()) {
      synchronized (held) {
        held.rate().begun(nowNanos);
      }
    }
  }

  @Override
  public void cancel() {
    if (active()) {
      synchronized (held) {
        held.rate().cancel(clock.nanos());
      }
    }
  }

  @Override
  public void release(Ending ending, long durationNanos, @Nullable Throwable failure) {}
}
