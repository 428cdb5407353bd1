// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.fleet.HeldLimits.Held;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A share of a concurrency: a slot per thread that works tasks. Slots are counted while nobody has
 * set the limit, too, so that it can be set at any time.
 */
final class FleetSlotLimit extends SharedLimit {
  /** So much before its slots are somebody else's, a process that was cut off ends itself. */
  private static final long MARGIN_NANOS = TimeUnit.SECONDS.toNanos(3);

  private final boolean strict;
  private final Consumer<FleetSlotLimit> outlived;

  /**
   * @param outlived ends the process, because what it runs under a strict limit may be one too many
   */
  FleetSlotLimit(Held held, boolean strict, boolean active, Consumer<FleetSlotLimit> outlived) {
    super(held, active);
    this.strict = strict;
    this.outlived = outlived;
  }

  /**
   * After a process stood still, others may have its slots. What its handlers did meanwhile must
   * not become known as done beside them: so each handler that returns looks, too.
   */
  @Override
  public void returned(long nowNanos) {
    endIfOutlived(nowNanos);
  }

  @Override
  void endIfOutlived(long nowNanos) {
    if (strict && active()) {
      synchronized (held) {
        if (held.slots().inUse() > 0
            && !held.slots().valid(nowNanos)
            && nowNanos - held.slots().endNanos() > held.holdNanos() - MARGIN_NANOS) {
          outlived.accept(this);
        }
      }
    }
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
