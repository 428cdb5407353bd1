// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;

/** A count of permits that may be changed at any time, and a moment before which it refuses. */
final class FakeLimit implements Limit {
  private final boolean perThread;
  int permits;
  boolean probing;
  int used;
  int usedMax;
  long refusesUntilNanos = Long.MIN_VALUE;

  FakeLimit(boolean perThread, int permits) {
    this.perThread = perThread;
    this.permits = permits;
  }

  @Override
  public boolean perThread() {
    return perThread;
  }

  @Override
  public PauseReason reason() {
    return perThread ? PauseReason.BULKHEAD_FULL : PauseReason.RATE_LIMITED;
  }

  @Override
  public boolean probes() {
    return probing;
  }

  @Override
  public long tryAcquire(long nowNanos) {
    if (nowNanos < refusesUntilNanos) {
      return refusesUntilNanos - nowNanos;
    }
    if (used >= permits) {
      return UNTIL_RELEASE;
    }
    usedMax = Math.max(usedMax, ++used);
    return GRANTED;
  }

  @Override
  public void cancel() {
    giveBack();
  }

  @Override
  public void release(Ending ending, long durationNanos, Throwable failure) {
    giveBack();
  }

  private void giveBack() {
    if (--used < 0) {
      throw new IllegalStateException("a permit was given back that was not taken");
    }
  }
}
