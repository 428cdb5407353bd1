// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.lane;

/**
 * How full the buffer of one partition is: tasks that were read and are not finished, waiting or
 * running. Bounded by {@link #capacity()} by construction: it is full above the high watermark,
 * which leaves room for what one more poll may bring. Once fetching was stopped for that, it is
 * full until the low one is reached (without that distance a lane is paused and resumed for every
 * few tasks, which halves throughput). Not thread-safe.
 */
public final class Lane {
  private final int capacity;
  private final int most;
  private int high;
  private int low;
  private int depth;
  private int maxDepth;
  private long bytes;
  private boolean full;
  private boolean stopped;

  /**
   * @param capacity the most tasks that the lane ever holds; at least 1
   * @param pollRecordsMax the most tasks that one poll may bring; from 1 to {@code capacity}
   */
  public Lane(int capacity, int pollRecordsMax) {
    if (capacity < 1 || pollRecordsMax < 1 || pollRecordsMax > capacity) {
      throw new IllegalArgumentException(
          "A lane of capacity "
              + capacity
              + " cannot take polls of "
              + pollRecordsMax
              + " records; a poll must bring between 1 and capacity");
    }
    this.capacity = capacity;
    this.most = capacity - pollRecordsMax;
    this.high = most;
    this.low = high / 2;
  }

  /**
   * Puts the high watermark so low, or where it was at first if that is lower, and the low one at
   * half of it. Reading far ahead serves to find work for every thread; where all have enough, what
   * is read only fills the memory.
   *
   * @param tasks the new high watermark; 0 or more
   */
  public void aim(int tasks) {
    int wanted = Math.min(most, tasks);
    if (wanted == high) {
      return;
    }
    high = wanted;
    low = high / 2;
    full = depth > high || full && depth > fetchedAt();
  }

  /**
   * Says whether fetching has been stopped. Before, a full lane needs no more than room for a poll:
   * whoever finds it soon enough need not stop.
   */
  public void stopped(boolean now) {
    stopped = now;
    full &= depth > fetchedAt();
  }

  private int fetchedAt() {
    return stopped ? low : high;
  }

  /** The largest poll that suits a lane of that capacity: half of it, at most {@code most}. */
  public static int pollRecordsFor(int capacity, int most) {
    return Math.max(1, Math.min(most, capacity / 2));
  }

  /**
   * One task came in.
   *
   * @throws IllegalStateException if the lane already holds its capacity
   */
  public void add(int taskBytes) {
    add(taskBytes, capacity);
  }

  /**
   * A task came in again that all others wait for: there is one place more for such a one, however
   * full the lane is.
   *
   * @throws IllegalStateException if that place is taken, too
   */
  public void addBeyond(int taskBytes) {
    add(taskBytes, capacity + 1);
  }

  /** Whether that place is taken, too. */
  public boolean brimful() {
    return depth > capacity;
  }

  private void add(int taskBytes, int most) {
    if (depth >= most) {
      throw new IllegalStateException(
          "The lane holds " + depth + " of " + most + " tasks; it was fetched while full");
    }
    depth++;
    bytes += taskBytes;
    maxDepth = Math.max(maxDepth, depth);
    full |= depth > high;
  }

  /** One task is finished or given up. */
  public void remove(int taskBytes) {
    if (depth == 0) {
      throw new IllegalStateException("A task left a lane that is empty");
    }
    depth--;
    bytes -= taskBytes;
    full &= depth > fetchedAt();
  }

  /** Whether nothing may be fetched: above the high watermark, once stopped above the low one. */
  public boolean full() {
    return full;
  }

  /** Whether there is so much that fetching more cannot help while a limit holds the tasks back. */
  public boolean aboveLow() {
    return depth > low;
  }

  /** Whether one task more may come in. */
  public boolean hasRoom() {
    return depth < capacity;
  }

  /** How many tasks have to leave before it is not full. */
  public int surplus() {
    return full ? depth - fetchedAt() : 0;
  }

  /** Whether something may be fetched, as far as the watermark says that counts now. */
  public boolean refillable() {
    return depth <= fetchedAt();
  }

  /** Tasks inside. */
  public int depth() {
    return depth;
  }

  /** The most tasks that were ever inside. */
  public int maxDepth() {
    return maxDepth;
  }

  /** Bytes inside. */
  public long bytes() {
    return bytes;
  }

  /** The most tasks that can be inside. */
  public int capacity() {
    return capacity;
  }
}
