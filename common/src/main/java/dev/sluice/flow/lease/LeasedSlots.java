// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.lease;

/**
 * The holder's side of a share of a concurrency limit: so many slots, as long as the lease lasts.
 * What runs when it ends runs on, and keeps its slot; nothing new starts. Not thread-safe.
 */
public final class LeasedSlots {
  private long slots;
  private long inUse;
  private long endNanos;
  private boolean valid;

  /** Without a lease. */
  public LeasedSlots(long nowNanos) {
    endNanos = nowNanos;
  }

  /** A grant was applied. */
  public void apply(long granted, long leaseEndNanos, long nowNanos) {
    slots = granted;
    endNanos = leaseEndNanos;
    valid = endNanos - nowNanos > 0;
  }

  /** Gives up what is more than this, before that is reported. */
  public void lower(long most) {
    slots = Math.min(slots, most);
  }

  /** Whether the lease holds. */
  public boolean valid(long nowNanos) {
    valid = valid && endNanos - nowNanos > 0;
    return valid;
  }

  /** When the lease ends. */
  public long endNanos() {
    return endNanos;
  }

  /** Takes a slot, if the lease holds and one is free. */
  public boolean tryAcquire(long nowNanos) {
    if (!valid(nowNanos) || inUse >= slots) {
      return false;
    }
    inUse++;
    return true;
  }

  /** Takes a slot while nothing is limited, so that it counts if that changes. */
  public void take() {
    inUse++;
  }

  /** Gives a slot back. */
  public void release() {
    if (inUse == 0) {
      throw new IllegalStateException("A slot was given back that was not taken");
    }
    inUse--;
  }

  /** Slots that are taken. */
  public long inUse() {
    return inUse;
  }

  /** Slots that it has, as long as the lease holds. */
  public long slots(long nowNanos) {
    return valid(nowNanos) ? slots : 0;
  }

  /** What it has to be booked with: its slots, or what runs if that is more. */
  public long held(long nowNanos) {
    return Math.max(slots(nowNanos), inUse);
  }
}
