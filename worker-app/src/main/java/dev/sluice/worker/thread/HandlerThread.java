// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.thread;

import dev.sluice.worker.engine.TaskRun;
import java.util.Objects;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One thread of the pool and the batch it works. The batch is shared: whoever raises {@code
 * claimed} past an index has the task there, the thread to begin it or the watcher to take it back.
 */
final class HandlerThread implements Runnable {
  private static final int BATCH = 64;

  private final HandlerThreads pool;
  private final AtomicInteger claimed = new AtomicInteger();
  private final Outcome[] outcomes = new Outcome[BATCH];
  private final long[] nanos = new long[BATCH];
  private volatile int done;
  private volatile boolean woken;
  private @Nullable Thread thread;

  /**
   * The task that the handler is at. Whoever interrupts the thread replaces it by {@link
   * #INTERRUPTING} meanwhile, so that the interruption meets the task it was meant for.
   */
  private final AtomicReference<@Nullable Object> current = new AtomicReference<>();

  private static final Object INTERRUPTING = new Object();

  private volatile long currentStartNanos;

  // Guarded by the engine's lock.
  final TaskRun[] batch = new TaskRun[BATCH];
  int size;
  int reported;
  long batchStartNanos;
  boolean searching = true;
  boolean givenUp;

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
      if (size == 0) {
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
    // The watcher may lower size meanwhile; what it took back can no longer be claimed.
    int taken = size;
    long start = pool.clock.nanos();
    // A thread that was held up, by a task or because the process stood still, asks again first.
    for (int i = claimed.getAndIncrement();
        i < taken;
        i =
            start - batchStartNanos > HandlerThreads.BATCH_NANOS_MAX
                ? taken
                : claimed.getAndIncrement()) {
      TaskRun run = batch[i];
      begin(run, start);
      Outcome outcome = pool.attempts.run(run, start);
      end(run);
      long end = run.endNanos();
      outcomes[i] = outcome;
      nanos[i] = end - start;
      start = end;
      done = i + 1;
      if (outcome != Outcome.SUCCESS) {
        return; // what is next may be behind this one
      }
    }
  }

  private void begin(TaskRun run, long startNanos) {
    currentStartNanos = startNanos;
    current.setRelease(run);
  }

  private void end(TaskRun run) {
    while (!current.compareAndSet(run, null)) {
      Thread.onSpinWait();
    }
    // An interruption of the task that has just ended must not meet the next one.
    if (Thread.currentThread().isInterrupted()) {
      Thread.interrupted();
    }
  }

  /** Interrupts the handler if it is still at this task. */
  void interrupt(TaskRun run, boolean timeOut) {
    if (current.compareAndSet(run, INTERRUPTING)) {
      if (timeOut) {
        run.timeOut();
      }
      Objects.requireNonNull(thread).interrupt();
      current.set(run);
    }
  }

  @Nullable TaskRun current() {
    return current.get() instanceof TaskRun run ? run : null;
  }

  long currentStartNanos() {
    return currentStartNanos;
  }

  int done() {
    return done;
  }

  Outcome outcome(int i) {
    return outcomes[i];
  }

  long nanos(int i) {
    return nanos[i];
  }

  /** Claims all that the thread has not begun, and returns the index of the first such task. */
  int claimRest() {
    return Math.min(size, claimed.getAndSet(BATCH));
  }

  @SuppressWarnings("NullAway") // the slot is beyond size now
  void forget(int i) {
    batch[i] = null;
  }

  @SuppressWarnings("NullAway") // the slots are beyond size now
  void clear() {
    for (int i = 0; i < size; i++) {
      batch[i] = null;
      outcomes[i] = null;
    }
    size = 0;
    reported = 0;
    done = 0;
    claimed.set(0);
  }
}
