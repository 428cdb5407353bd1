// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.lease;

import dev.sluice.SnoozeException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One task that was taken, until it is completed, failed, snoozed or returned; exactly one of these
 * counts, and a second one is an error. It has the time-out of its queue for that, which {@link
 * #extend} begins anew; a lease whose time is up, or whose partition or worker is gone, has ended,
 * and its task runs again. Thread-safe.
 */
public final class Lease implements AutoCloseable {
  private enum State {
    OPEN,
    DONE,
    FAILED,
    ENDED
  }

  private final Task<byte[]> task;
  private final TaskContext context;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Guarded by the lock.
  private State state = State.OPEN;
  private @Nullable Exception failure;

  Lease(Task<byte[]> task, TaskContext context) {
    this.task = task;
    this.context = context;
  }

  /** The task. */
  public Task<byte[]> task() {
    return task;
  }

  /**
   * What is known of this attempt; {@link TaskContext#submit} and the rest work while it is open.
   */
  public TaskContext context() {
    return context;
  }

  /**
   * The task is done.
   *
   * @throws IllegalStateException if the lease was completed, failed or returned before, or has
   *     ended: what was done may be done again
   */
  public void complete() {
    end(State.DONE, null);
  }

  /**
   * The task is done, with a result for whoever asked.
   *
   * @throws IllegalStateException as {@link #complete()}
   * @throws dev.sluice.PermanentTaskException if the result cannot be encoded or is too large
   */
  public void complete(Object result) {
    lock.lock();
    try {
      requireOpen();
      context.result(result);
      end(State.DONE, null);
    } finally {
      lock.unlock();
    }
  }

  /**
   * The attempt failed: the task is tried again, or becomes a dead letter, as if a handler had
   * thrown this.
   *
   * @throws IllegalStateException as {@link #complete()}
   */
  public void fail(Exception why) {
    end(State.FAILED, why);
  }

  /**
   * The task comes again after this time, without an attempt used.
   *
   * @throws IllegalStateException as {@link #complete()}
   */
  public void snooze(Duration delay) {
    end(State.FAILED, new SnoozeException("Whoever took it has put it off", delay));
  }

  /**
   * The work gets on: the time of the lease begins anew.
   *
   * @param progress how far it is, for people
   * @throws IllegalStateException if the lease is over
   */
  public void extend(String progress) {
    lock.lock();
    try {
      requireOpen();
      context.heartbeat(progress);
    } finally {
      lock.unlock();
    }
  }

  /** Whether it can still be completed. */
  public boolean isOpen() {
    lock.lock();
    try {
      return state == State.OPEN;
    } finally {
      lock.unlock();
    }
  }

  /** Returns the task, without an attempt used, if nothing became of it; else does nothing. */
  @Override
  public void close() {
    lock.lock();
    try {
      if (state == State.OPEN) {
        end(State.FAILED, LeaseDesk.returned("Whoever took it has given it back"));
      }
    } finally {
      lock.unlock();
    }
  }

  private void end(State how, @Nullable Exception why) {
    lock.lock();
    try {
      requireOpen();
      state = how;
      failure = why;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void requireOpen() {
    switch (state) {
      case OPEN -> {}
      case ENDED ->
          throw new IllegalStateException(
              "The lease of task "
                  + task.id()
                  + " has ended: its time was up, or its partition or worker is gone. The task runs"
                  + " again. Take less at a time, call extend(), or raise the time-out.");
      case DONE, FAILED ->
          throw new IllegalStateException(
              "The lease of task " + task.id() + " was completed, failed or returned before");
    }
  }

  /** Waits until something has become of it; an interruption ends the lease. */
  void await() throws Exception {
    lock.lock();
    try {
      while (state == State.OPEN) {
        changed.await();
      }
    } catch (InterruptedException e) {
      // What came in the same moment counts.
      if (state == State.OPEN) {
        state = State.ENDED;
        throw e;
      }
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
    Exception why = failure;
    if (why != null) {
      throw why;
    }
  }
}
