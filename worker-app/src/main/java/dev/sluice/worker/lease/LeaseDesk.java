// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.lease;

import dev.sluice.SnoozeException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Where the tasks of pulled queues meet those who take them. As a handler it hands each task to a
 * taker and waits for what becomes of it; as a limit it lets no more tasks start than there are
 * takers waiting, so that what nobody takes stays in its lane. Thread-safe.
 */
public final class LeaseDesk implements TaskHandler<byte[]> {
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by the lock.
  private final ArrayDeque<Taker> takers = new ArrayDeque<>();
  private int promised;
  private boolean closed;

  private volatile Runnable wake = () -> {};

  /** Somebody who waits for a task. */
  private final class Taker {
    final Condition turn = lock.newCondition();
    @Nullable Lease lease;
  }

  /** What lets workers look for tasks: somebody waits for one. */
  public void wakeBy(Runnable waker) {
    wake = waker;
  }

  // ---- those who take ----

  /**
   * Takes a task.
   *
   * @param maxWaitNanos how long at most
   * @return empty if there was none in time, or the worker stops
   */
  public Optional<Lease> take(long maxWaitNanos) throws InterruptedException {
    Taker taker = new Taker();
    lock.lock();
    try {
      if (closed) {
        return Optional.empty();
      }
      takers.addLast(taker);
    } finally {
      lock.unlock();
    }
    wake.run(); // not under the lock: the engine asks this desk under its own
    lock.lock();
    try {
      long left = maxWaitNanos;
      while (taker.lease == null && !closed && left > 0) {
        left = taker.turn.awaitNanos(left);
      }
      return Optional.ofNullable(taker.lease);
    } catch (InterruptedException e) {
      Lease given = taker.lease;
      if (given != null) {
        given.close();
      }
      throw e;
    } finally {
      takers.remove(taker);
      lock.unlock();
    }
  }

  /** Nobody is given anything any more, and who waits is told: the worker stops. */
  public void close() {
    lock.lock();
    try {
      closed = true;
      takers.forEach(taker -> taker.turn.signal());
    } finally {
      lock.unlock();
    }
  }

  /** Whether it is closed. */
  public boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  // ---- tasks ----

  @Override
  public void handle(Task<byte[]> task, TaskContext context) throws Exception {
    Lease lease = new Lease(task, context);
    lock.lock();
    try {
      promised--;
      Taker taker = closed ? null : takers.poll();
      if (taker == null) {
        throw returned("Whoever wanted a task has gone");
      }
      taker.lease = lease;
      taker.turn.signal();
    } finally {
      lock.unlock();
    }
    lease.await();
  }

  static SnoozeException returned(String why) {
    return new SnoozeException(why, Duration.ofMillis(1));
  }

  /** The limit of one handler. */
  public Limit limit() {
    return new Limit() {
      @Override
      public PauseReason reason() {
        return PauseReason.BULKHEAD_FULL;
      }

      @Override
      public boolean oneAtATime() {
        return true;
      }

      @Override
      public long tryAcquire(long nowNanos) {
        lock.lock();
        try {
          if (takers.size() <= promised) {
            return UNTIL_RELEASE;
          }
          promised++;
          return GRANTED;
        } finally {
          lock.unlock();
        }
      }

      @Override
      public void cancel() {
        lock.lock();
        try {
          promised--;
        } finally {
          lock.unlock();
        }
      }

      @Override
      public void release(Ending ending, long durationNanos, @Nullable Throwable failure) {
        // The promise was kept, or given up, where the task was handed over.
      }
    };
  }
}
