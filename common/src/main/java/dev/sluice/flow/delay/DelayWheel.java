// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.delay;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The front of one partition of each delay level, and what of it is due. Within a level nothing is
 * due before what entered it earlier, so the head is always the next one: looking at the heads is
 * exact, and each level is taken in the order of its log. Holds a bounded front of each level only,
 * whatever waits behind it. Not thread-safe.
 *
 * @param <T> what waits
 */
public final class DelayWheel<T> {
  private final List<ArrayDeque<Entry<T>>> levels = new ArrayList<>();
  private final long[] bytes;
  private final int entriesMax;
  private final long bytesMax;
  private int first;

  /**
   * Something that waits in a level.
   *
   * @param offset its place in the log of the level
   * @param enteredMillis when it entered the level
   * @param dueMillis when it is to come out of the last one
   * @param bytes what it costs in memory
   */
  public record Entry<T>(
      int level, long offset, long enteredMillis, long dueMillis, int bytes, T item) {
    /** When it leaves this level: when its length is over, or when it is due. */
    public long releaseMillis() {
      return Math.min(enteredMillis + DelayLevels.millis(level), dueMillis);
    }
  }

  /**
   * @param entriesMax how many of a level are held before no more are asked for
   * @param bytesMax how many bytes of a level
   */
  public DelayWheel(int entriesMax, long bytesMax) {
    for (int i = 0; i < DelayLevels.count(); i++) {
      levels.add(new ArrayDeque<>());
    }
    this.bytes = new long[levels.size()];
    this.entriesMax = entriesMax;
    this.bytesMax = bytesMax;
  }

  /** Puts the next one of its level behind those that are here. */
  public void add(Entry<T> entry) {
    levels.get(entry.level()).addLast(entry);
    bytes[entry.level()] += entry.bytes();
  }

  /** Whether more of a level should be read; false until half of what is here has left. */
  public boolean wants(int level, boolean reading) {
    int part = reading ? 1 : 2;
    return levels.get(level).size() < entriesMax / part && bytes[level] < bytesMax / part;
  }

  /** When the next one leaves its level; {@link Long#MAX_VALUE} if nothing waits here. */
  public long nextMillis() {
    long next = Long.MAX_VALUE;
    for (ArrayDeque<Entry<T>> level : levels) {
      Entry<T> head = level.peekFirst();
      if (head != null) {
        next = Math.min(next, head.releaseMillis());
      }
    }
    return next;
  }

  /** Takes what leaves its level by now, those of a level in their order, at most so many. */
  public List<Entry<T>> take(long nowMillis, int most) {
    List<Entry<T>> taken = new ArrayList<>();
    for (int i = 0; i < levels.size() && taken.size() < most; i++) {
      int at = (first + i) % levels.size();
      ArrayDeque<Entry<T>> level = levels.get(at);
      Entry<T> head = level.peekFirst();
      while (head != null && taken.size() < most && head.releaseMillis() <= nowMillis) {
        taken.add(head);
        bytes[at] -= head.bytes();
        level.removeFirst();
        head = level.peekFirst();
      }
      if (taken.size() >= most) {
        first = at + 1; // where one level has more than that, the others come first next time
      }
    }
    return taken;
  }

  /** Forgets those of a level that lie before an offset. */
  public void dropBefore(int level, long offset) {
    ArrayDeque<Entry<T>> waiting = levels.get(level);
    for (Entry<T> head = waiting.peekFirst();
        head != null && head.offset() < offset;
        head = waiting.peekFirst()) {
      bytes[level] -= head.bytes();
      waiting.removeFirst();
    }
  }

  /** How many wait here. */
  public int size() {
    int size = 0;
    for (ArrayDeque<Entry<T>> level : levels) {
      size += level.size();
    }
    return size;
  }

  /** Forgets everything: it is read again. */
  public void clear() {
    levels.forEach(ArrayDeque::clear);
    Arrays.fill(bytes, 0);
  }
}
