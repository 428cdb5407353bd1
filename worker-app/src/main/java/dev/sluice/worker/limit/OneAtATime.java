// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import org.jspecify.annotations.Nullable;

/** Holds nothing back, but gives each task a thread that has no other one. Thread-safe. */
public final class OneAtATime implements Limit {
  @Override
  public boolean oneAtATime() {
    return true;
  }

  @Override
  public PauseReason reason() {
    return PauseReason.BULKHEAD_FULL;
  }

  @Override
  public long tryAcquire(long nowNanos) {
    return GRANTED;
  }

  @Override
  public void cancel() {}

  @Override
  public void release(Ending ending, long durationNanos, @Nullable Throwable failure) {}
}
