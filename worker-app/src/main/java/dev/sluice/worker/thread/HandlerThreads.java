// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.thread;

import dev.sluice.time.Clock;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.HandlerState;
import dev.sluice.worker.engine.TaskRun;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadFactory;
import java.util.function.ObjLongConsumer;
import java.util.function.Predicate;

/**
 * A bounded pool whose threads take their tasks from the engine. A thread that finished one reports
 * it and takes the next in one visit under the lock, so that a completion wakes nobody. At most one
 * thread is being woken at a time; it wakes the next one if it found work and there is more. So few
 * threads serve fast handlers, and all of them slow ones.
 *
 * <p>Fast handlers get several tasks per visit. When one of these turns out to be slow, {@link
 * #watch} takes back what its thread has not begun and reports what it has finished.
 */
public final class HandlerThreads {
  /** After this long with one batch, a thread gives back what it has not begun. */
  static final long BATCH_NANOS_MAX = 5_000_000;

  /** Tasks of other keys do not wait for one that takes longer; lost processors are shorter. */
  private static final long HELD_UP_NANOS = 20_000_000;

  /** How often threads are looked after that have one task each. */
  private static final long WATCH_NANOS = 50_000_000;

  /** A thread is woken for fast tasks if those that are at work have more than so much each. */
  private static final long WORTH_WAKING_NANOS = 200_000;

  /** An attempt is named if it takes so many times what is usual, and at least so long. */
  private static final int SLOW_TIMES = 20;

  private static final long SLOW_NANOS_LEAST = 10_000_000_000L;

  /** How long an interrupted handler has to return before its thread is given up. */
  private static final long GRACE_NANOS = 5_000_000_000L;

  final Engine engine;
  final EngineLock lock;
  final Attempts attempts;
  final Clock clock;

  /** A thread that is held up for longer after it was given a batch does not begin it. */
  final long heldUpNanosMax;

  private final ThreadFactory factory;
  private final int threadsMax;
  private final int hungMax;
  private final int processors = Runtime.getRuntime().availableProcessors();
  private final Runnable afterVisit;
  private final Deque<HandlerThread> idle = new ArrayDeque<>();
  private final List<HandlerThread> threads = new ArrayList<>();
  private final List<HandlerThread> busy = new ArrayList<>();
  private boolean searching;
  private boolean stopped;
  private int hung;

  /**
   * @param engine what there is to do; used only under {@code lock}
   * @param attempts runs the handlers
   * @param threadsMax the most threads that work at once
   * @param factory makes them
   * @param afterVisit called under the lock after a thread reported something; must not block
   */
  public HandlerThreads(
      Engine engine,
      EngineLock lock,
      Attempts attempts,
      int threadsMax,
      ThreadFactory factory,
      Clock clock,
      Runnable afterVisit) {
    this.engine = engine;
    this.lock = lock;
    this.attempts = attempts;
    this.threadsMax = threadsMax;
    this.hungMax = Math.max(4, threadsMax / 4);
    this.factory = factory;
    this.clock = clock;
    this.heldUpNanosMax = engine.membership().graceNanos();
    this.afterVisit = afterVisit;
  }

  /**
   * Wakes or starts a thread if there is something to start. For handlers that are so fast that
   * they are given several tasks at once, more threads than processors would only get in each
   * other's way; a thread that is stuck does not count. Under the lock.
   */
  public void wake(long nowNanos) {
    if (searching || stopped || !engine.startable(nowNanos)) {
      return;
    }
    if (enough(nowNanos)) {
      return;
    }
    HandlerThread sleeper = idle.pollFirst();
    if (sleeper != null) {
      searching = true;
      sleeper.wake();
    } else if (threads.size() - hung < threadsMax) {
      searching = true;
      HandlerThread fresh = new HandlerThread(this);
      threads.add(fresh);
      fresh.start(factory);
    }
  }

  /** Reports a thread's outcomes and gives it its next batch. Called by the thread itself. */
  boolean visit(HandlerThread thread) {
    lock.lock();
    try {
      long now = clock.nanos();
      if (thread.givenUp) {
        threads.remove(thread);
        busy(thread, false);
        hung--;
        engine.hungReturned(thread.batch[thread.reported - 1]);
        wake(now);
        return false;
      }
      HandlerState slot = thread.slot;
      if (slot != null) {
        takeBack(thread, now);
        engine.slotEnded(slot, thread.reported, now - thread.batchStartNanos);
        thread.clear();
      }
      boolean wasSearching = thread.searching;
      thread.searching = false;
      thread.size = stopped ? 0 : engine.take(thread.batch, now);
      thread.slot = thread.size > 0 ? thread.batch[0].handler() : null;
      thread.batchStartNanos = now;
      if (wasSearching) {
        searching = false;
      }
      busy(thread, thread.size > 0);
      if (thread.size > 0) {
        wake(now);
      } else if (stopped) {
        threads.remove(thread);
      } else {
        idle.addFirst(thread);
      }
      afterVisit.run();
      return thread.size > 0 || !stopped;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether the threads that are at work should do. Another one would help only if it had more to
   * do than it takes to wake it, and only up to the number of processors.
   */
  private boolean enough(long nowNanos) {
    if (busy.isEmpty() || !engine.onlyFast(nowNanos)) {
      return false;
    }
    int moving = 0;
    for (int i = 0; i < busy.size() && moving < processors; i++) {
      HandlerThread thread = busy.get(i);
      if (thread.size > 0 && nowNanos - thread.batchStartNanos < BATCH_NANOS_MAX) {
        moving++;
      }
    }
    return moving >= processors
        || moving > 0 && engine.readyNanos(nowNanos) < moving * WORTH_WAKING_NANOS;
  }

  private void busy(HandlerThread thread, boolean now) {
    if (now && thread.busyIndex < 0) {
      thread.busyIndex = busy.size();
      busy.add(thread);
    } else if (!now && thread.busyIndex >= 0) {
      HandlerThread last = busy.remove(busy.size() - 1);
      if (last != thread) {
        busy.set(thread.busyIndex, last);
        last.busyIndex = thread.busyIndex;
      }
      thread.busyIndex = -1;
    }
  }

  /** Reports what a thread has finished since its last report. Under the lock. */
  private void report(HandlerThread thread, long nowNanos) {
    int done = thread.done();
    for (int i = thread.reported; i < done; i++) {
      report(thread.batch[i], thread.outcome(i), thread.nanos(i), nowNanos);
    }
    thread.reported = done;
  }

  private void report(TaskRun run, Outcome outcome, long nanos, long nowNanos) {
    if (outcome instanceof Outcome.Retry retry) {
      engine.retry(run, retry.delayNanos(), retry.attemptUsed(), nanos, nowNanos);
    } else if (outcome instanceof Outcome.Dead dead) {
      if (engine.deadLetter(run, false, nanos)) {
        attempts.leave(run, dead);
      } else {
        attempts.dropped(run);
      }
    } else if (outcome instanceof Outcome.Later later) {
      if (engine.leave(run, later.attemptUsed(), nanos)) {
        attempts.leave(run, later);
      } else {
        attempts.dropped(run);
      }
    } else if (outcome instanceof Outcome.Submits submits) {
      if (engine.submits(run, nanos)) {
        attempts.leave(run, submits);
      } else {
        attempts.dropped(run);
      }
    } else if (outcome instanceof Outcome.Expired) {
      engine.notRun(run, Engine.Left.EXPIRED);
    } else if (outcome instanceof Outcome.Cancelled) {
      engine.notRun(run, Engine.Left.CANCELLED);
    } else {
      engine.succeeded(run, nanos);
    }
  }

  /**
   * Looks after the threads: takes back tasks that wait behind a slow one, interrupts handlers
   * whose time is up, gives up those that do not return. Under the lock, at least every 50 ms while
   * something runs.
   */
  public void watch(long nowNanos) {
    for (int i = busy.size() - 1; i >= 0; i--) {
      HandlerThread thread = busy.get(i);
      if (thread.size == 0 || thread.givenUp) {
        continue;
      }
      if (thread.size > 1 && nowNanos - thread.batchStartNanos > BATCH_NANOS_MAX) {
        takeBack(thread, nowNanos);
      }
      TaskRun run = thread.current();
      if (run != null) {
        long ran = nowNanos - thread.currentStartNanos();
        if (ran > HELD_UP_NANOS) {
          engine.heldUp(run, nowNanos);
        }
        if (ran > SLOW_NANOS_LEAST && thread.toldSlow != run) {
          lookAtSlow(thread, run, ran);
        }
        long timeout = attempts.timeoutNanos(run);
        long silent = nowNanos - run.aliveNanos(nowNanos - ran);
        if (silent > timeout && !run.timedOut()) {
          thread.interrupt(run, true);
        } else if (silent > timeout + GRACE_NANOS && run.timedOut()) {
          giveUp(thread, run, ran, nowNanos);
        }
      }
    }
  }

  /**
   * The attempts that have run for so long, the longest first, at most so many. Under the lock.
   *
   * @param visitor told of each with how long it has run
   */
  public void longest(
      long atLeastNanos, int most, long nowNanos, ObjLongConsumer<TaskRun> visitor) {
    busy.stream()
        .filter(thread -> thread.size > 0 && !thread.givenUp && thread.current() != null)
        .sorted(Comparator.comparingLong(HandlerThread::currentStartNanos))
        .limit(most)
        .forEach(
            thread -> {
              TaskRun run = thread.current();
              long ran = nowNanos - thread.currentStartNanos();
              if (run != null && ran >= atLeastNanos) {
                visitor.accept(run, ran);
              }
            });
  }

  private void lookAtSlow(HandlerThread thread, TaskRun run, long ran) {
    long usual = run.handler().usualNanos();
    if (ran / SLOW_TIMES > usual) {
      thread.toldSlow = run;
      engine.slow(run);
      attempts.slow(run, ran, usual);
    }
  }

  /**
   * After how many nanoseconds {@link #watch} and {@link #wake} are wanted at the latest: soon
   * where tasks wait for a thread that is thought to be fast, and may turn out to be slow. Under
   * the lock.
   */
  public long lookAgainNanos(long nowNanos) {
    if (busy() == 0) {
      return Long.MAX_VALUE;
    }
    if (engine.startable(nowNanos) && engine.onlyFast(nowNanos)) {
      return BATCH_NANOS_MAX;
    }
    for (int i = 0; i < busy.size(); i++) {
      HandlerThread thread = busy.get(i);
      if (thread.size > 1 || thread.size == 1 && engine.holdsOthersUp(thread.batch[0])) {
        return BATCH_NANOS_MAX;
      }
    }
    return WATCH_NANOS;
  }

  /**
   * For how many nanoseconds every thread certainly has something to do: 0 if one is idle. Under
   * the lock.
   */
  public long saturatedNanos(long nowNanos) {
    return idle.isEmpty() && threads.size() - hung >= threadsMax ? engine.restNanos(nowNanos) : 0;
  }

  /** Whether a thread waits for something to do. Under the lock. */
  public boolean someIdle() {
    return !idle.isEmpty();
  }

  private void takeBack(HandlerThread thread, long nowNanos) {
    int begun = thread.stopRest();
    for (int i = thread.size - 1; i >= begun; i--) {
      engine.unstarted(thread.batch[i]);
      thread.forget(i);
    }
    thread.size = Math.min(thread.size, begun);
    report(thread, nowNanos);
  }

  private void giveUp(HandlerThread thread, TaskRun run, long ran, long nowNanos) {
    takeBack(thread, nowNanos);
    if (!thread.giveUp(run)) {
      return; // it has just returned
    }
    hung++;
    thread.reported++;
    if (engine.deadLetter(run, true, ran)) {
      attempts.leave(run, attempts.hung(run, ran));
    } else {
      attempts.dropped(run);
    }
    engine.slotHung(run.handler(), thread.size, ran);
    wake(nowNanos);
  }

  /** What does not add up of slots, permits and lanes, in words. Under the lock. */
  public List<String> leaks() {
    Map<HandlerState, Integer> slots = new HashMap<>();
    for (HandlerThread thread : busy) {
      HandlerState slot = thread.slot;
      if (slot != null && !thread.givenUp) {
        slots.merge(slot, 1, Integer::sum);
      }
    }
    return engine.audit(handler -> slots.getOrDefault(handler, 0));
  }

  /** Whether so many threads are stuck in handlers that the process should be replaced. */
  public boolean tooManyHung() {
    return hung >= hungMax;
  }

  /** Threads that were given up and are still inside their handlers. Under the lock. */
  public int hung() {
    return hung;
  }

  /** Threads that are inside a handler or about to be. Under the lock. */
  public int busy() {
    return threads.size() - idle.size();
  }

  /** Tells the handlers of these tasks to stop, and interrupts them if asked. Under the lock. */
  public void cancel(Predicate<TaskRun> which, boolean interrupt) {
    for (HandlerThread thread : busy) {
      TaskRun run = thread.current();
      if (run != null && which.test(run)) {
        run.cancel();
        if (interrupt) {
          thread.interrupt(run, false);
        }
      }
    }
  }

  /** Takes back what the threads have not begun, so that a hand-over need not wait for it. */
  public void takeBackAll(long nowNanos) {
    for (HandlerThread thread : busy) {
      if (thread.size > 0 && !thread.givenUp) {
        takeBack(thread, nowNanos);
      }
    }
  }

  /** Lets the threads end as soon as they are through with what they have begun. Under the lock. */
  public void stop() {
    stopped = true;
    for (HandlerThread thread = idle.pollFirst(); thread != null; thread = idle.pollFirst()) {
      threads.remove(thread);
      thread.wake();
    }
  }

  boolean stopped() {
    return stopped;
  }
}
