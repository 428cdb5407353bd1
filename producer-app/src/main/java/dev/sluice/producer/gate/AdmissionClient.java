// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.gate;

import dev.sluice.flow.gate.Admission;
import dev.sluice.flow.gate.Admission.WaitNanos;
import dev.sluice.flow.gate.ProducerGate;
import dev.sluice.time.Clock;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Waits before the gate, first come first served. Thread-safe; it holds one entry per waiting
 * thread and nothing per task.
 *
 * <p>Tasks end on the one thread that talks to the brokers, so that {@link #leave} must cost next
 * to nothing: it adds to two counters and takes the lock only when somebody waits. What left is
 * subtracted from the gate when the gate would otherwise say no. No wake-up is lost: a waiter
 * announces itself before it looks at the counters, and who leaves looks for waiters after adding
 * to them.
 */
public final class AdmissionClient {
  private final ReentrantLock lock = new ReentrantLock();
  private final ReentrantLock flushLock = new ReentrantLock();
  private final Condition phaseEmpty = lock.newCondition();
  private final ArrayDeque<Condition> queue = new ArrayDeque<>();
  private final ProducerGate gate;
  private final Clock clock;

  private final AtomicLong leftBytes = new AtomicLong();
  private final AtomicLong leftTasks = new AtomicLong();
  private final AtomicLong[] ended = {new AtomicLong(), new AtomicLong()};
  private long settledBytes;
  private long settledTasks;
  private final long[] entered = new long[2];
  private int phase;
  private boolean flushing;
  private volatile boolean watched;

  /**
   * @param gate decides; from now on only this object may call it
   * @param clock measures how long to wait
   */
  public AdmissionClient(ProducerGate gate, Clock clock) {
    this.gate = gate;
    this.clock = clock;
  }

  /**
   * Waits until the permit is admitted.
   *
   * @param maxWaitNanos how long at most; 0 to only ask, {@link Long#MAX_VALUE} for as long as it
   *     takes
   * @return admitted; refused; or, where the time was up or somebody else was first, what it would
   *     have to wait for
   * @throws InterruptedException if the thread was interrupted while it waited; nothing was
   *     admitted
   */
  public Admission enter(Permit permit, long maxWaitNanos) throws InterruptedException {
    lock.lock();
    try {
      if (queue.isEmpty()) {
        Admission admission = decide(permit);
        if (maxWaitNanos <= 0 || !(admission instanceof WaitNanos)) {
          return admission;
        }
      } else if (maxWaitNanos <= 0) {
        return behindOthers();
      }
      return await(permit, maxWaitNanos);
    } finally {
      lock.unlock();
    }
  }

  private Admission await(Permit permit, long maxWaitNanos) throws InterruptedException {
    Condition turn = lock.newCondition();
    queue.addLast(turn);
    watch();
    long startNanos = clock.nanos();
    try {
      while (true) {
        Admission admission = queue.peekFirst() == turn ? decide(permit) : null;
        if (admission != null && !(admission instanceof WaitNanos)) {
          return admission;
        }
        long leftNanos =
            maxWaitNanos == Long.MAX_VALUE
                ? Long.MAX_VALUE
                : maxWaitNanos - (clock.nanos() - startNanos);
        if (leftNanos <= 0) {
          return admission == null ? behindOthers() : admission;
        }
        long again = admission instanceof WaitNanos wait ? wait.nanos() : Long.MAX_VALUE;
        long ignored = turn.awaitNanos(Math.min(leftNanos, again));
      }
    } finally {
      queue.remove(turn);
      watch();
      signalFirst();
    }
  }

  private static Admission behindOthers() {
    return new WaitNanos(WaitNanos.UNTIL_RELEASE, Admission.Shortage.TASKS_FULL);
  }

  private Admission decide(Permit permit) {
    long now = clock.nanos();
    Admission admission = gate.admit(permit.bytes, now);
    if (admission instanceof WaitNanos && settle()) {
      admission = gate.admit(permit.bytes, now);
    }
    if (admission == Admission.ADMITTED) {
      entered[phase]++;
      permit.enter(phase);
    }
    return admission;
  }

  /** Takes out of the gate what has left; false when nothing has. */
  private boolean settle() {
    long tasks = leftTasks.get();
    long bytes = leftBytes.get();
    if (tasks == settledTasks && bytes == settledBytes) {
      return false;
    }
    gate.release((int) (tasks - settledTasks), bytes - settledBytes);
    settledTasks = tasks;
    settledBytes = bytes;
    return true;
  }

  /** Gives back the room of a permit; a second call, or one before admission, does nothing. */
  public void leave(Permit permit) {
    if (!permit.leave()) {
      return;
    }
    leftBytes.getAndAdd(permit.bytes);
    leftTasks.getAndIncrement();
    if (watched) {
      lock.lock();
      try {
        signalFirst();
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Says that everybody knows the outcome of a permit that has left, which is what a flush waits
   * for; a second call, or one before it left, does nothing.
   */
  public void end(Permit permit) {
    if (!permit.end()) {
      return;
    }
    int permitPhase = permit.phase;
    ended[permitPhase].getAndIncrement();
    if (watched) {
      lock.lock();
      try {
        if (flushing && outstanding(permitPhase) == 0) {
          phaseEmpty.signalAll();
        }
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Waits until all that was admitted before this call has ended; what others add meanwhile does
   * not prolong it.
   *
   * @param maxWaitNanos how long at most
   * @return false when the time was up
   * @throws InterruptedException if the thread was interrupted while it waited
   */
  public boolean awaitEmpty(long maxWaitNanos) throws InterruptedException {
    long startNanos = clock.nanos();
    // New tasks enter the other phase, and this one can only drain. One flush at a time turns it.
    if (!flushLock.tryLock(maxWaitNanos, TimeUnit.NANOSECONDS)) {
      return false;
    }
    try {
      lock.lock();
      try {
        flushing = true;
        watch();
        if (!awaitPhase(1 - phase, startNanos, maxWaitNanos)) {
          return false;
        }
        phase = 1 - phase;
        return awaitPhase(1 - phase, startNanos, maxWaitNanos);
      } finally {
        flushing = false;
        watch();
        lock.unlock();
      }
    } finally {
      flushLock.unlock();
    }
  }

  private boolean awaitPhase(int which, long startNanos, long maxWaitNanos)
      throws InterruptedException {
    while (outstanding(which) > 0) {
      long leftNanos = maxWaitNanos - (clock.nanos() - startNanos);
      if (leftNanos <= 0) {
        return false;
      }
      long ignored = phaseEmpty.awaitNanos(leftNanos);
    }
    return true;
  }

  private long outstanding(int which) {
    return entered[which] - ended[which].get();
  }

  /** From now on nothing enters, and who waits is refused. What is inside still leaves. */
  public void close() {
    lock.lock();
    try {
      gate.close();
      signalFirst();
    } finally {
      lock.unlock();
    }
  }

  /** How many tasks are inside. */
  public int tasks() {
    lock.lock();
    try {
      boolean ignored = settle();
      return gate.tasks();
    } finally {
      lock.unlock();
    }
  }

  /** How many bytes are inside. */
  public long bytes() {
    lock.lock();
    try {
      boolean ignored = settle();
      return gate.bytes();
    } finally {
      lock.unlock();
    }
  }

  /** How many threads wait. */
  public int waiting() {
    lock.lock();
    try {
      return queue.size();
    } finally {
      lock.unlock();
    }
  }

  private void watch() {
    watched = flushing || !queue.isEmpty();
  }

  private void signalFirst() {
    @Nullable Condition first = queue.peekFirst();
    if (first != null) {
      first.signal();
    }
  }
}
