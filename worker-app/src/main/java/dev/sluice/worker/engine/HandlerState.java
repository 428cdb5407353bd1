// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import dev.sluice.flow.pause.Pauses;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One handler of one queue: its limits, what is ready for it, and what became of its tasks. */
public final class HandlerState {
  /** A thread takes as many tasks at once as it can be expected to work in this time. */
  private static final long BATCH_NANOS = 100_000;

  /** The same where all threads have enough to do for long: they keep no batch for longer. */
  private static final long SATURATED_NANOS = 5_000_000;

  /** Then a thread takes no more than these at once. */
  private static final int SATURATED_MAX = 4;

  /** So many times what all threads take at once is enough for long. */
  private static final int SATURATED_TIMES = 2 * SATURATED_MAX;

  private static final long LONG_NANOS = 1_000_000_000;

  /** The most tasks that a thread takes at once. */
  public static final int BATCH_MAX = 256;

  final QueueState queue;
  final String type;
  final Limit[] threadLimits;
  final Limit[] taskLimits;
  private final Limit[] watching;
  final ReadyTasks ready;
  final Counters counters = new Counters();
  private long heldUntilNanos;
  private @Nullable PauseReason heldBy;
  private final boolean oneAtATime;
  private boolean heldUntilRelease;
  private @Nullable PauseReason lastReason;
  private boolean heldWithoutBreak;
  private long heldSinceNanos;
  private long expectedNanos = Long.MAX_VALUE;
  private long typicalNanos = Long.MAX_VALUE;

  /** What became of the tasks of a handler; grows only. */
  static final class Counters {
    long started;
    long succeeded;
    long failed;
    long interrupted;
    long dead;
    long expired;
    long cancelled;
    long duplicate;
    long stale;
    long slow;
    long hung;
    long nanos;
    long nanosMax;
  }

  /**
   * @param queue that it belongs to
   * @param type the task type, or {@code *}
   * @param limits on the start of its tasks, all of which have to agree
   */
  public HandlerState(QueueState queue, String type, List<Limit> limits) {
    this.queue = queue;
    this.type = type;
    this.threadLimits = limits.stream().filter(Limit::perThread).toArray(Limit[]::new);
    this.taskLimits = limits.stream().filter(l -> !l.perThread()).toArray(Limit[]::new);
    this.watching = limits.stream().filter(Limit::watchesStarts).toArray(Limit[]::new);
    this.oneAtATime = limits.stream().anyMatch(Limit::oneAtATime);
    this.ready = queue.readyTasks();
    queue.handlers.add(this);
  }

  /** The task type, or {@code *}. */
  public String type() {
    return type;
  }

  /** The name of the queue. */
  public String queue() {
    return queue.name;
  }

  /** Whether some limit wants to know now when a start happens. Called by any thread. */
  public boolean watched() {
    for (Limit limit : watching) {
      if (limit.watchesNow()) {
        return true;
      }
    }
    return false;
  }

  /** Whether a start may still happen. Called by any thread, without the engine's lock. */
  public boolean mayBegin(long nowNanos) {
    for (Limit limit : watching) {
      if (!limit.stillGranted(nowNanos)) {
        return false;
      }
    }
    return true;
  }

  /** A start has happened. Called by any thread, without the engine's lock. */
  public void attemptBegun(long nowNanos) {
    for (Limit limit : watching) {
      limit.begun(nowNanos);
    }
  }

  /** A handler has returned. Called by its thread, before anything comes of it. */
  public void attemptReturned(long nowNanos) {
    for (Limit limit : watching) {
      limit.returned(nowNanos);
    }
  }

  /** A start does not happen: its permits go back. Called by any thread, without the lock. */
  public void attemptNotBegun() {
    for (Limit limit : taskLimits) {
      limit.cancel();
    }
  }

  /**
   * Ends the permits of one started attempt. Called by any thread, without the engine's lock.
   *
   * @param ending how it ended
   * @param nanos how long it ran
   * @param failure what it threw where it failed
   */
  public void attemptEnded(Limit.Ending ending, long nanos, @Nullable Throwable failure) {
    attemptEnded(ending, nanos, failure, true);
  }

  /** The same, saying whether the attempt was the first of its task. */
  public void attemptEnded(
      Limit.Ending ending, long nanos, @Nullable Throwable failure, boolean first) {
    for (Limit limit : taskLimits) {
      limit.release(ending, nanos, failure, first);
    }
  }

  /** What an attempt takes on average; MAX_VALUE until the first has ended. */
  public long usualNanos() {
    return expectedNanos;
  }

  int batchMax() {
    return oneAtATime
        ? 1
        : (int) Math.max(1, Math.min(BATCH_MAX, BATCH_NANOS / Math.max(1, expectedNanos)));
  }

  /**
   * The most tasks that a thread takes at once now: some more than {@link #batchMax} where each of
   * them would wait for a thread in any case. A visit for each costs more than that is worth.
   */
  int takeMax() {
    int most = batchMax();
    if (most >= SATURATED_MAX
        || oneAtATime
        || queue.inTurns()
        || ready.size() < SATURATED_TIMES * queue.concurrency) {
      return most;
    }
    long some = Math.min(SATURATED_MAX, SATURATED_NANOS / Math.max(1, expectedNanos));
    return (int) Math.max(most, some);
  }

  /** How long its ready tasks would keep one thread busy, as far as is known. */
  long readyNanos() {
    return Math.min(LONG_NANOS, expectedNanos) * ready.size();
  }

  /** A thread worked {@code tasks} tasks in that time. */
  void worked(int tasks, long nanos) {
    long each = nanos / tasks;
    if (expectedNanos == Long.MAX_VALUE) {
      expectedNanos = each;
      typicalNanos = each;
      return;
    }
    expectedNanos += (each - expectedNanos) / 8;
    long step = typicalNanos / 16 + 1;
    typicalNanos = Math.max(0, typicalNanos + (each > typicalNanos ? step : -step));
  }

  /**
   * What a task of half of its batches takes at most, about: the median by steps of a sixteenth,
   * which a batch whose thread lost its processor hardly moves. MAX_VALUE until the first ended.
   */
  long typicalNanos() {
    return typicalNanos;
  }

  boolean held(long nowNanos) {
    if (heldBy == null) {
      return false;
    }
    if (heldUntilRelease || heldUntilNanos - nowNanos > 0) {
      return true;
    }
    heldBy = null;
    return false;
  }

  @Nullable PauseReason heldBy(long nowNanos) {
    return held(nowNanos) ? heldBy : null;
  }

  int heldReason(long nowNanos) {
    PauseReason reason = held(nowNanos) ? heldBy : null;
    return reason == null ? 0 : Pauses.bit(reason);
  }

  /** Starts nothing for a while, or until a permit comes back. */
  void hold(PauseReason reason, long waitNanos, long nowNanos) {
    if (lastReason != reason || !heldWithoutBreak) {
      heldSinceNanos = nowNanos;
    }
    lastReason = reason;
    heldWithoutBreak = true;
    heldBy = reason;
    heldUntilRelease = waitNanos == Limit.UNTIL_RELEASE;
    heldUntilNanos = heldUntilRelease ? 0 : nowNanos + waitNanos;
  }

  /** The fleet granted something: whoever waited for that may look again. */
  void fleetGranted() {
    if (heldBy == PauseReason.FLEET_LIMIT) {
      heldBy = null;
      heldUntilRelease = false;
    }
  }

  /** A task became ready: where all the others may not start, this one may. */
  void readied() {
    if (heldBy == PauseReason.TENANT_LIMIT) {
      heldBy = null;
      heldUntilRelease = false;
    }
  }

  /** Something was started: a hold after this is a new one. */
  void startedSome() {
    heldWithoutBreak = false;
  }

  /** Since when the present reason has held without a start in between. */
  long heldSinceNanos() {
    return heldSinceNanos;
  }

  /** A permit came back: whoever waited for that may look again. */
  void released() {
    if (heldUntilRelease) {
      heldBy = null;
      heldUntilRelease = false;
    }
  }

  /** After how many nanoseconds looking again is worth it; MAX_VALUE if only a release helps. */
  long lookAgainNanos(long nowNanos) {
    if (ready.size() == 0) {
      return Long.MAX_VALUE;
    }
    if (!held(nowNanos)) {
      return 0;
    }
    return heldUntilRelease ? Long.MAX_VALUE : heldUntilNanos - nowNanos;
  }

  /** Whether its next task is to find out whether it can work again. */
  boolean probes() {
    for (Limit limit : taskLimits) {
      if (limit.probes()) {
        return true;
      }
    }
    return false;
  }

  /** Takes the permits of all these limits, or of none. */
  boolean acquire(Limit[] limits, long nowNanos) {
    for (int i = 0; i < limits.length; i++) {
      long wait = limits[i].tryAcquire(nowNanos);
      if (wait != Limit.GRANTED) {
        hold(limits[i].reason(), wait, nowNanos);
        while (--i >= 0) {
          limits[i].cancel();
        }
        return false;
      }
    }
    return true;
  }
}
