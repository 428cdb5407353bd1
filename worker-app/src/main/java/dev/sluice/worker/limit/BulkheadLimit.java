// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import io.github.resilience4j.bulkhead.Bulkhead;
import org.jspecify.annotations.Nullable;

/**
 * A Resilience4j bulkhead. Its {@code maxWaitDuration} is not used: tasks wait in their lane, never
 * a thread. One permit serves a thread that works several short tasks one after the other. It must
 * not be shared with other code, because only a release through this limit wakes what waits here.
 * Never lower it by {@code changeConfig}, which blocks its caller. Thread-safe.
 */
public final class BulkheadLimit implements Limit {
  private final Bulkhead bulkhead;

  /**
   * @param bulkhead whose {@code maxWaitDuration} must be zero
   * @throws IllegalArgumentException if it would let its caller wait
   */
  public BulkheadLimit(Bulkhead bulkhead) {
    if (!bulkhead.getBulkheadConfig().getMaxWaitDuration().isZero()) {
      throw new IllegalArgumentException(
          "Bulkhead '"
              + bulkhead.getName()
              + "' has a maxWaitDuration of "
              + bulkhead.getBulkheadConfig().getMaxWaitDuration()
              + "; tasks wait in their lane, so set it to 0");
    }
    this.bulkhead = bulkhead;
  }

  @Override
  public boolean perThread() {
    return true;
  }

  @Override
  public int inUse() {
    Bulkhead.Metrics now = bulkhead.getMetrics();
    return now.getMaxAllowedConcurrentCalls() - now.getAvailableConcurrentCalls();
  }

  @Override
  public PauseReason reason() {
    return PauseReason.BULKHEAD_FULL;
  }

  @Override
  public long tryAcquire(long nowNanos) {
    return bulkhead.tryAcquirePermission() ? GRANTED : UNTIL_RELEASE;
  }

  @Override
  public void cancel() {
    bulkhead.releasePermission();
  }

  @Override
  public void release(Ending ending, long durationNanos, @Nullable Throwable failure) {
    bulkhead.onComplete();
  }
}
