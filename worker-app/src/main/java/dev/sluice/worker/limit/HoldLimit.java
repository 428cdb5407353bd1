// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Holds a handler back for as long as its downstream asked for, by {@link
 * dev.sluice.BackpressureException}. Thread-safe.
 */
public final class HoldLimit implements Limit {
  private record Hold(long untilNanos) {}

  private final AtomicReference<@Nullable Hold> hold = new AtomicReference<>();

  /**
   * Starts nothing for this long; a longer hold that is in force stays.
   *
   * @param nanos how long
   * @param nowNanos the present monotonic time
   */
  public void holdFor(long nanos, long nowNanos) {
    long until = nowNanos + nanos;
    hold.accumulateAndGet(
        new Hold(until), (now, next) -> now != null && now.untilNanos() - until > 0 ? now : next);
  }

  @Override
  public PauseReason reason() {
    return PauseReason.RATE_LIMITED;
  }

  @Override
  public long tryAcquire(long nowNanos) {
    Hold present = hold.get();
    if (present == null) {
      return GRANTED;
    }
    long rest = present.untilNanos() - nowNanos;
    if (rest > 0) {
      return rest;
    }
    hold.compareAndSet(present, null);
    return GRANTED;
  }

  @Override
  public void cancel() {}

  @Override
  public void release(Ending ending, long durationNanos, @Nullable Throwable failure) {}
}
