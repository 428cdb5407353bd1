// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.delay;

import dev.sluice.flow.ledger.DoneRanges;
import dev.sluice.flow.ledger.Ledger;
import dev.sluice.flow.ledger.LedgerSnapshot;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;

/**
 * The front of one partition of each delay level, and what of it is due. Whatever waits behind it,
 * a bounded front of each level is held: within a level nothing leaves before what entered it
 * earlier, so the head is the next one, and looking at the heads is exact.
 *
 * <p>What is due soon does not go down through the short levels: it is held here until it is due,
 * and what goes down to another level is gathered for a moment, so that few transactions write to
 * many partitions. Both let others pass, so what is done of a level has gaps, which are committed
 * with its position as those of a queue are. How many are held is bounded, and with it the size of
 * that; what finds no room takes its way through the levels in their order. Not thread-safe.
 *
 * @param <T> what waits
 */
public final class DelayWheel<T> {
  /** The most characters that {@link #served} describes gaps with. */
  public static final int METADATA_MAX = 3_000;

  /** How long what goes to another level waits for others that do. */
  static final long GATHER_MILLIS = 200;

  /** What is due within that is held. More than what is gathered waits. */
  static final long HOLD_MILLIS = 1_000 + GATHER_MILLIS;

  /**
   * How many of a level others may pass. So many gaps fit into {@link #METADATA_MAX} while there
   * are fewer than 10^8 offsets to each of them: the codes of {@code LedgerCodec} take twice the
   * logarithm of a length, so that lengths that are all the same take the most.
   */
  private static final int PASSED_MAX = 300;

  private static final long PASSED_BYTES_MAX = 512 << 10;

  private final List<Level<T>> levels = new ArrayList<>();
  private final PriorityQueue<Entry<T>> held =
      new PriorityQueue<>(
          Comparator.comparingLong((Entry<T> entry) -> entry.dueMillis)
              .thenComparingLong(entry -> entry.enteredMillis)
              .thenComparingLong(Entry::offset));
  private final Deque<Entry<T>> gathered = new ArrayDeque<>();
  private final int entriesMax;
  private final long bytesMax;
  private int passedMax = PASSED_MAX;
  private long passedBytes;
  private long gatherUntilMillis;
  private int first;

  /** Something that waits in a level. */
  public static final class Entry<T> extends Ledger.Entry {
    private final int level;
    private final long enteredMillis;
    private final long dueMillis;
    private final int bytes;
    private final T item;

    /**
     * @param offset its place in the log of the level
     * @param enteredMillis when it entered the level
     * @param dueMillis when it is to come out of the last one
     * @param bytes what it costs in memory
     */
    public Entry(int level, long offset, long enteredMillis, long dueMillis, int bytes, T item) {
      super(offset);
      this.level = level;
      this.enteredMillis = enteredMillis;
      this.dueMillis = dueMillis;
      this.bytes = bytes;
      this.item = item;
    }

    /** The level that it waits in. */
    public int level() {
      return level;
    }

    /** When it is to come out. */
    public long dueMillis() {
      return dueMillis;
    }

    /** What waits. */
    public T item() {
      return item;
    }

    /** When it leaves this level: when its length is over, or when it is due. */
    public long releaseMillis() {
      return Math.min(enteredMillis + DelayLevels.millis(level), dueMillis);
    }
  }

  /** One level: what was read of it and is not released, and what is served of it. */
  private static final class Level<T> {
    final Deque<Entry<T>> front = new ArrayDeque<>();
    Ledger ledger = new Ledger(0, 0, DoneRanges.NONE);
    long bytes;
    int passed;

    /** Its next one is no longer in front; it is in the ledger as not done. */
    Entry<T> next() {
      Entry<T> head = front.removeFirst();
      bytes -= head.bytes;
      ledger.accept(head);
      return head;
    }
  }

  /**
   * @param entriesMax how many of a level are in front before no more are asked for
   * @param bytesMax how many bytes of a level
   */
  public DelayWheel(int entriesMax, long bytesMax) {
    for (int i = 0; i < DelayLevels.count(); i++) {
      levels.add(new Level<>());
    }
    this.entriesMax = entriesMax;
    this.bytesMax = bytesMax;
  }

  /**
   * From where a level is served. What is here of it and was served is forgotten, and so is what
   * will be read.
   *
   * @param done what was served above the position
   */
  public void resume(int level, long position, DoneRanges done) {
    Level<T> one = levels.get(level);
    one.ledger = new Ledger(position, position, done);
    one.front.removeIf(entry -> entry.offset() < position || done.contains(entry.offset()));
    one.bytes = one.front.stream().mapToLong(entry -> entry.bytes).sum();
  }

  /** Nobody passes another one any more: what was served of a level has no gaps. */
  public void keepOrder() {
    passedMax = 0;
  }

  /** Puts the next one of its level behind those that are here, unless it was served. */
  public void add(Entry<T> entry) {
    Level<T> one = levels.get(entry.level);
    if (!one.ledger.wasDone(entry.offset())) {
      one.front.addLast(entry);
      one.bytes += entry.bytes;
    }
  }

  /** Whether more of a level should be read; false until half of what is here has left. */
  public boolean wants(int level, boolean reading) {
    int part = reading ? 1 : 2;
    Level<T> one = levels.get(level);
    return one.front.size() < entriesMax / part && one.bytes < bytesMax / part;
  }

  /** When to look again for what can be taken; {@link Long#MAX_VALUE} if nothing waits here. */
  public long nextMillis(long nowMillis) {
    levels.forEach(level -> pass(level, nowMillis));
    long next = gathered.isEmpty() ? Long.MAX_VALUE : gatherUntilMillis;
    Entry<T> soonest = held.peek();
    if (soonest != null) {
      next = Math.min(next, soonest.dueMillis);
    }
    for (Level<T> level : levels) {
      Entry<T> head = level.front.peekFirst();
      if (head != null) {
        next = Math.min(next, head.releaseMillis());
      }
    }
    return next;
  }

  /**
   * Takes what is due and what goes on to another level now, at most so many; from here on it
   * counts as served. May be nothing.
   */
  public List<Entry<T>> take(long nowMillis, int most) {
    levels.forEach(level -> pass(level, nowMillis));
    List<Entry<T>> taken = new ArrayList<>();
    int ways = levels.size() + 2;
    for (int i = 0; i < ways && taken.size() < most; i++) {
      int way = (first + i) % ways;
      if (way == levels.size()) {
        takeHeld(nowMillis, most, taken);
      } else if (way > levels.size()) {
        takeGathered(nowMillis, most, taken);
      } else {
        takeHeads(levels.get(way), nowMillis, most, taken);
      }
      if (taken.size() >= most) {
        first = way + 1; // where there is more than that, others come first next time
      }
    }
    return taken;
  }

  /** What is released and need not be taken at once lets pass what is behind it. */
  private void pass(Level<T> level, long nowMillis) {
    for (Entry<T> head = level.front.peekFirst();
        head != null && head.dueMillis > nowMillis && mayPass(level, head, nowMillis);
        head = level.front.peekFirst()) {
      level.next();
      level.passed++;
      passedBytes += head.bytes;
      if (head.dueMillis - nowMillis <= HOLD_MILLIS) {
        held.add(head);
      } else {
        gatherUntilMillis = gathered.isEmpty() ? nowMillis + GATHER_MILLIS : gatherUntilMillis;
        gathered.addLast(head);
      }
    }
  }

  private boolean mayPass(Level<T> level, Entry<T> head, long nowMillis) {
    boolean soon = head.dueMillis - nowMillis <= HOLD_MILLIS;
    return (soon || head.releaseMillis() <= nowMillis)
        && level.passed < passedMax
        && passedBytes + head.bytes <= PASSED_BYTES_MAX;
  }

  private void takeHeld(long nowMillis, int most, List<Entry<T>> taken) {
    for (Entry<T> soonest = held.peek();
        soonest != null && soonest.dueMillis <= nowMillis && taken.size() < most;
        soonest = held.peek()) {
      leave(held.remove(), taken);
    }
  }

  private void takeGathered(long nowMillis, int most, List<Entry<T>> taken) {
    boolean full = gathered.size() >= PASSED_MAX;
    while (!gathered.isEmpty() && (full || gatherUntilMillis <= nowMillis) && taken.size() < most) {
      leave(gathered.removeFirst(), taken);
    }
  }

  private void leave(Entry<T> entry, List<Entry<T>> taken) {
    Level<T> level = levels.get(entry.level);
    level.passed--;
    passedBytes -= entry.bytes;
    level.ledger.done(entry);
    taken.add(entry);
  }

  private static <T> void takeHeads(
      Level<T> level, long nowMillis, int most, List<Entry<T>> taken) {
    for (Entry<T> head = level.front.peekFirst();
        head != null && head.releaseMillis() <= nowMillis && taken.size() < most;
        head = level.front.peekFirst()) {
      level.next();
      level.ledger.done(head);
      taken.add(head);
    }
  }

  /**
   * Up to where a level is served when all that was taken is, and what is above that.
   *
   * @throws IllegalStateException if that could not be described, which the bound on what is passed
   *     excludes
   */
  public LedgerSnapshot served(int level) {
    LedgerSnapshot snapshot = levels.get(level).ledger.snapshot(METADATA_MAX);
    if (!snapshot.complete()) {
      throw new IllegalStateException(
          "What is served of level " + DelayLevels.name(level) + " has too many gaps");
    }
    return snapshot;
  }

  /** How many wait here. */
  public int size() {
    int size = held.size() + gathered.size();
    for (Level<T> level : levels) {
      size += level.front.size();
    }
    return size;
  }

  /** Forgets everything: each level is to be resumed, and is read again. */
  public void clear() {
    held.clear();
    gathered.clear();
    passedBytes = 0;
    for (Level<T> level : levels) {
      level.front.clear();
      level.bytes = 0;
      level.passed = 0;
    }
  }
}
