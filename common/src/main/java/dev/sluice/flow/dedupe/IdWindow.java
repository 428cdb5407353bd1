// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.dedupe;

import java.util.Arrays;

/**
 * The ids of one partition's last tasks, with the times of their records, in the order of the log.
 * A task is a duplicate if one with its id came before it in the partition and not longer before it
 * than the window; a duplicate counts as one that came. So the answer follows from the part of the
 * log that is one window long, and is the same for everybody who reads that.
 *
 * <p>At most a set number of tasks is remembered, the last ones: at most 40 bytes for each, in
 * arrays that grow with what is in the window. Not thread-safe.
 */
public final class IdWindow {
  private static final int FIRST_CAPACITY = 1_024;

  /** More than double the most entries, so that probes stay short. */
  private static final int SLOTS_PER_ENTRY = 2;

  private final long windowMillis;
  private final int idsMax;

  // A ring of what came, the oldest at head.
  private long[] highs = new long[0];
  private long[] lows = new long[0];
  private long[] times = new long[0];
  private int head;
  private int size;

  /** Open addressing with linear probes: the place in the ring of an id's last task, plus one. */
  private int[] slots = new int[0];

  private long latestMillis = Long.MIN_VALUE;
  private long forgottenEarly;
  private long coveredMillis = Long.MAX_VALUE;

  /**
   * @param windowMillis how long before a task another one makes it a duplicate
   * @param idsMax how many tasks are remembered, the last one included; at least 1
   */
  public IdWindow(long windowMillis, int idsMax) {
    this.windowMillis = windowMillis;
    this.idsMax = idsMax;
    resize(Math.min(FIRST_CAPACITY, idsMax));
  }

  /**
   * The next task of the partition. It is remembered.
   *
   * @param high the first half of its id's digest
   * @param low the second half
   * @param timeMillis the time of its record; one that goes back counts as that of the latest
   *     before
   * @return whether it is a duplicate
   */
  public boolean add(long high, long low, long timeMillis) {
    long atMillis = Math.max(timeMillis, latestMillis);
    latestMillis = atMillis;
    forgetBefore(atMillis);
    if (size == highs.length) {
      if (size < idsMax) {
        resize((int) Math.min(idsMax, 2L * size));
      } else {
        coveredMillis = Math.min(coveredMillis, Math.max(0, atMillis - times[head]));
        forgottenEarly++;
        forgetOldest();
      }
    }
    int slot = slotOf(high, low);
    boolean known = slots[slot] != 0;
    boolean duplicate = known && atMillis - times[slots[slot] - 1] < windowMillis;
    int at = at(size++);
    highs[at] = high;
    lows[at] = low;
    times[at] = atMillis;
    slots[slot] = at + 1;
    return duplicate;
  }

  /** How many tasks are remembered. */
  public int size() {
    return size;
  }

  /** How many were forgotten before their window was over, because there were too many. */
  public long forgottenEarly() {
    return forgottenEarly;
  }

  /**
   * The shortest that the window ever was because too many tasks came within it, in milliseconds;
   * MAX_VALUE if it was never shortened.
   */
  public long coveredMillis() {
    return coveredMillis;
  }

  private void forgetBefore(long atMillis) {
    while (size > 0 && atMillis - times[head] >= windowMillis) {
      forgetOldest();
    }
  }

  private void forgetOldest() {
    int slot = slotOf(highs[head], lows[head]);
    if (slots[slot] == head + 1) { // else a later task of that id is remembered there
      clear(slot);
    }
    head = head + 1 == highs.length ? 0 : head + 1;
    size--;
  }

  private int at(int index) {
    int at = head + index;
    return at >= highs.length ? at - highs.length : at;
  }

  /** Where the id is, or the free slot where it would be. */
  private int slotOf(long high, long low) {
    int slot = home(high);
    while (slots[slot] != 0) {
      int at = slots[slot] - 1;
      if (highs[at] == high && lows[at] == low) {
        return slot;
      }
      slot = next(slot);
    }
    return slot;
  }

  private int home(long high) {
    return (int) (high & (slots.length - 1)); // of a digest all bits are as good
  }

  private int next(int slot) {
    return (slot + 1) & (slots.length - 1);
  }

  /** Removes without leaving a mark: what a probe would miss from now on is moved up. */
  private void clear(int cleared) {
    int gap = cleared;
    for (int slot = next(gap); slots[slot] != 0; slot = next(slot)) {
      int home = home(highs[slots[slot] - 1]);
      // Cyclically: whether the gap is on the way from its home to where it is.
      boolean passesGap =
          ((slot - home) & (slots.length - 1)) >= ((slot - gap) & (slots.length - 1));
      if (passesGap) {
        slots[gap] = slots[slot];
        gap = slot;
      }
    }
    slots[gap] = 0;
  }

  private void resize(int capacity) {
    highs = unrolled(highs, capacity);
    lows = unrolled(lows, capacity);
    times = unrolled(times, capacity);
    head = 0;
    slots = new int[Integer.highestOneBit(Math.max(2, SLOTS_PER_ENTRY * capacity) - 1) << 1];
    for (int i = 0; i < size; i++) {
      slots[slotOf(highs[i], lows[i])] = i + 1;
    }
  }

  private long[] unrolled(long[] ring, int capacity) {
    long[] unrolled = Arrays.copyOfRange(ring, head, head + capacity);
    int wrapped = ring.length - head;
    if (size > wrapped) {
      System.arraycopy(ring, 0, unrolled, wrapped, size - wrapped);
    }
    return unrolled;
  }
}
