// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.thread;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where a thread is in its batch: the index of a task, its phase, and whether anything after it may
 * still begin, all in one word, so that beginning and ending a task costs two atomic operations and
 * whoever watches the thread sees one consistent state.
 *
 * <p>{@link #begin}, {@link #conclude} and {@link #next} are the thread's; the others are called
 * under the engine's lock.
 */
final class BatchCursor {
  /** The task at the index is next; it has not begun. */
  private static final int BETWEEN = 0;

  /** The handler is at it. */
  private static final int RUNNING = 1;

  /** The handler is at it, and somebody is interrupting it: it waits with its end. */
  private static final int INTERRUPTING = 2;

  /** The handler has returned; what comes of it is being noted. */
  private static final int CONCLUDED = 3;

  /** The thread was given up while the handler was at it. */
  private static final int GIVEN_UP = 4;

  private static final int PHASE = 7;

  /** What has not begun was taken back. */
  private static final int STOPPED = 8;

  private static final int INDEX_SHIFT = 4;

  private final AtomicInteger word = new AtomicInteger();

  // ---- the thread ----

  /** Begins the task that is next; false if it was taken back. */
  boolean begin() {
    int now = word.get();
    return (now & STOPPED) == 0 && word.compareAndSet(now, now | RUNNING);
  }

  /** The handler has returned; false if the thread was given up before. */
  boolean conclude() {
    while (true) {
      int now = word.get();
      int phase = now & PHASE;
      if (phase == GIVEN_UP) {
        return false;
      }
      if (phase == INTERRUPTING) {
        Thread.onSpinWait();
      } else if (word.compareAndSet(now, now & ~PHASE | CONCLUDED)) {
        return true;
      }
    }
  }

  /**
   * The concluded task is done, and its outcome can be reported.
   *
   * @param more whether the thread wants to begin the next one
   * @return whether that one has begun
   */
  boolean next(boolean more) {
    while (true) {
      int now = word.get();
      boolean begins = more && (now & STOPPED) == 0;
      int after = (index(now) + 1 << INDEX_SHIFT) | now & STOPPED;
      if (word.compareAndSet(now, after | (begins ? RUNNING : BETWEEN))) {
        return begins;
      }
    }
  }

  // ---- under the engine's lock ----

  /** How many tasks are done. */
  int done() {
    return index(word.get());
  }

  /** The index of the task that has begun and is not done; -1 if there is none. */
  int current() {
    int now = word.get();
    return (now & PHASE) == BETWEEN ? -1 : index(now);
  }

  /** Lets nothing begin any more, and returns how many tasks have begun. */
  int stop() {
    int before = word.getAndUpdate(now -> now | STOPPED);
    return (before & PHASE) == BETWEEN ? index(before) : index(before) + 1;
  }

  /** Keeps the task from ending until {@link #interrupted}; false if its handler has returned. */
  boolean interrupting(int index) {
    int now = word.get();
    return at(now, index, RUNNING) && word.compareAndSet(now, now & ~PHASE | INTERRUPTING);
  }

  /** The interruption was delivered. */
  void interrupted() {
    word.set(word.get() & ~PHASE | RUNNING); // nobody else changes it in this phase
  }

  /** Gives the thread up; false if the handler has returned. */
  boolean giveUp(int index) {
    int now = word.get();
    return at(now, index, RUNNING) && word.compareAndSet(now, now & ~PHASE | GIVEN_UP);
  }

  /** A new batch. */
  void reset() {
    word.set(0);
  }

  private static boolean at(int now, int index, int phase) {
    return index(now) == index && (now & PHASE) == phase;
  }

  private static int index(int word) {
    return word >>> INDEX_SHIFT;
  }
}
