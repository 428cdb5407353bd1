// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.gate;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/** The room that one task holds from its admission until its end. */
public final class Permit {
  private static final AtomicIntegerFieldUpdater<Permit> STATE =
      AtomicIntegerFieldUpdater.newUpdater(Permit.class, "state");
  private static final int OUTSIDE = 0;
  private static final int INSIDE = 1;
  private static final int LEFT = 2;
  private static final int ENDED = 3;

  final long bytes;

  /** Which of the two phases of flushing it entered in; written before it is inside. */
  int phase;

  private volatile int state = OUTSIDE;

  /**
   * A permit that is not admitted yet.
   *
   * @param bytes the size of the task, 0 or more
   */
  public Permit(long bytes) {
    this.bytes = bytes;
  }

  void enter(int newPhase) {
    phase = newPhase;
    if (!STATE.compareAndSet(this, OUTSIDE, INSIDE)) {
      throw new IllegalStateException("A permit was admitted twice");
    }
  }

  /** True for exactly one caller, and only for a permit that was admitted. */
  boolean leave() {
    return state == INSIDE && STATE.compareAndSet(this, INSIDE, LEFT);
  }

  /** True for exactly one caller, and only for a permit that has left. */
  boolean end() {
    return state == LEFT && STATE.compareAndSet(this, LEFT, ENDED);
  }
}
