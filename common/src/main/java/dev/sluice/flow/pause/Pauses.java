// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.pause;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * The reasons why one partition is paused, and since when each holds. The partition is paused while
 * there is at least one. Recomputed as a whole: what is not named again is gone. Not thread-safe.
 */
public final class Pauses {
  private static final PauseReason[] REASONS = PauseReason.values();

  private final long[] sinceNanos = new long[REASONS.length];
  private int bits;
  private long count;

  /** The bit of a reason, to be joined by {@code |} for {@link #set}. */
  public static int bit(PauseReason reason) {
    return 1 << reason.ordinal();
  }

  /**
   * Replaces the set of reasons.
   *
   * @param reasons the bits of all reasons that hold now
   * @param nowNanos the present monotonic time
   * @return whether the partition changed between paused and not paused
   */
  public boolean set(int reasons, long nowNanos) {
    int fresh = reasons & ~bits;
    for (int rest = fresh; rest != 0; rest &= rest - 1) {
      sinceNanos[Integer.numberOfTrailingZeros(rest)] = nowNanos;
    }
    boolean changed = bits == 0 != (reasons == 0);
    if (changed && reasons != 0) {
      count++;
    }
    bits = reasons;
    return changed;
  }

  /** Whether there is a reason. */
  public boolean paused() {
    return bits != 0;
  }

  /** Whether this reason holds. */
  public boolean has(PauseReason reason) {
    return (bits & bit(reason)) != 0;
  }

  /** Whether there is a reason, and none but these. */
  public boolean onlyOf(int reasons) {
    return bits != 0 && (bits & ~reasons) == 0;
  }

  /** How often the partition went from not paused to paused. */
  public long count() {
    return count;
  }

  /** The reasons that hold, each with the nanoseconds that it has held. A copy. */
  public Map<PauseReason, Long> heldNanos(long nowNanos) {
    if (bits == 0) {
      return Map.of();
    }
    Map<PauseReason, Long> held = new EnumMap<>(PauseReason.class);
    for (int rest = bits; rest != 0; rest &= rest - 1) {
      int i = Integer.numberOfTrailingZeros(rest);
      held.put(REASONS[i], nowNanos - sinceNanos[i]);
    }
    return Collections.unmodifiableMap(held);
  }
}
