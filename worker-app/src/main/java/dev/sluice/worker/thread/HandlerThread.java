// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.thread;

import dev.sluice.worker.engine.HandlerState;
import dev.sluice.worker.engine.TaskRun;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One thread of the pool and the batch it works. The batch is shared: what the thread has not begun
 * may be taken back, and what it has finished reported, by whoever has the engine's lock.
 */
final class HandlerThread implements Runnable, Attempts.Conclusion {
  /** Grows while its batches fill it, since most threads of a slow handler never have more. */
  private static final int FIRST_BATCH = 4;

  private final HandlerThreads pool;
  private final BatchCursor cursor = new BatchCursor();
  private volatile boolean woken;
  private @Nullable Thread thread;

  /** Written by the thread before its cursor moves on, read by others after they saw that. */
  private long[] nanos = new long[FIRST_BATCH];

  /** How the last one ended if that was not by success: it is the last of its batch then. */
  private @Nullable Outcome failure;

  private int failedIndex = -1;
  private long endNanos;
  private boolean tooLate;
  private final AtomicLong currentStartNanos = new AtomicLong();

  /**
   * The handler whose slot it has; written by the thread itself, under the engine's lock. The batch
   * may be empty nevertheless: a thread that is held up before it begins is left with nothing.
   */
  @Nullable HandlerState slot;

  // Guarded by the engine's lock.
  TaskRun[] batch = new TaskRun[FIRST_BATCH];
  int size;
  int reported;
  long batchStartNanos;
  boolean searching = true;
  boolean givenUp;

  /** The attempt that was named for taking so long. */
  @Nullable TaskRun toldSlow;

  /** Its place among the busy threads; -1 while it is idle. */
  int busyIndex = -1;

  HandlerThread(HandlerThreads pool) {
    this.pool = pool;
  }

  void start(ThreadFactory factory) {
    Thread started = factory.newThread(this);
    thread = started;
    started.start();
  }

  /** Under the engine's lock. */
  void wake() {
    searching = true;
    woken = true;
    LockSupport.unpark(Objects.requireNonNull(thread));
  }

  @Override
  public void run() {
    while (pool.visit(this)) {
      if (slot == null) {
        while (!woken) {
          LockSupport.park(this);
          Thread.interrupted();
        }
        woken = false;
        if (pool.stopped()) {
          return;
        }
      } else {
        work();
      }
    }
  }

  private void work() {
    // The watcher may lower size meanwhile; what it took back can no longer begin.
    int taken = size;
    long start = pool.clock.nanos();
    currentStartNanos.setRelease(start);
    // A process that stood still here may have lost its partitions: it asks again first, too.
    if (taken == 0 || start - batchStartNanos > pool.heldUpNanosMax || !cursor.begin()) {
      return;
    }
    boolean more = true;
    for (int i = 0; more; i++) {
      Outcome outcome = pool.attempts.run(batch[i], start, this);
      if (tooLate) {
        return;
      }
      long end = endNanos;
      nanos[i] = end - start;
      if (outcome != Outcome.SUCCESS) {
        failure = outcome;
        failedIndex = i;
      }
      start = end;
      currentStartNanos.setRelease(end);
      // What is next may be behind one that did not succeed. A thread that was held up, by a task
      // or because the process stood still, asks again first.
      more =
          cursor.next(
              outcome == Outcome.SUCCESS
                  && i + 1 < taken
                  && end - batchStartNanos <= HandlerThreads.BATCH_NANOS_MAX);
    }
  }

  @Override
  public boolean conclude(long nowNanos) {
    endNanos = nowNanos;
    tooLate = !cursor.conclude();
    // An interruption of the task that has just ended must not meet the next one.
    if (Thread.currentThread().isInterrupted()) {
      Thread.interrupted();
    }
    return !tooLate;
  }

  // ---- under the engine's lock ----

  /** Interrupts the handler if it is still at this task. */
  void interrupt(TaskRun run, boolean timeOut) {
    if (givenUp) {
      Objects.requireNonNull(thread).interrupt(); // it has no task after this one
      return;
    }
    int current = cursor.current();
    if (current >= 0 && batch[current] == run && cursor.interrupting(current)) {
      if (timeOut) {
        run.timeOut();
      }
      Objects.requireNonNull(thread).interrupt();
      cursor.interrupted();
    }
  }

  /** Gives the thread up if its handler is still at this task. */
  boolean giveUp(TaskRun run) {
    int current = cursor.current();
    givenUp = current >= 0 && batch[current] == run && cursor.giveUp(current);
    return givenUp;
  }

  /** The task that the handler is at, or whose outcome is being noted. */
  @Nullable TaskRun current() {
    int current = cursor.current();
    return current < 0 || current >= size ? null : batch[current];
  }

  long currentStartNanos() {
    return currentStartNanos.getAcquire();
  }

  int done() {
    return cursor.done();
  }

  Outcome outcome(int i) {
    Outcome failed = failure;
    return failed != null && i == failedIndex ? failed : Outcome.SUCCESS;
  }

  long nanos(int i) {
    return nanos[i];
  }

  /** Lets the thread begin nothing more, and returns the index of the first such task. */
  int stopRest() {
    return Math.min(size, cursor.stop());
  }

  @SuppressWarnings("NullAway") // the slot is beyond size now
  void forget(int i) {
    batch[i] = null;
  }

  /** Makes room for the next batch; more than before if the last one took all of it. */
  @SuppressWarnings("NullAway") // the slots are beyond size now
  void clear() {
    if (size == batch.length && size < HandlerState.BATCH_MAX) {
      batch = new TaskRun[size * 4];
      nanos = new long[size * 4];
    } else {
      Arrays.fill(batch, 0, size, null);
    }
    size = 0;
    reported = 0;
    failure = null;
    failedIndex = -1;
    toldSlow = null;
    cursor.reset();
  }
}
