// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.flow.ledger.Ledger;
import org.jspecify.annotations.Nullable;

/**
 * One task of one assignment, from the poll until its end. Extended by the rim with the record. The
 * assignment it belongs to is its epoch: a run whose partition is gone is stale, whatever happens
 * to the partition's number later.
 */
public abstract class TaskRun extends Ledger.Entry {
  enum State {
    /** Behind another task of its key. */
    BEHIND_KEY,
    /** Behind another task of its key that waits, and only its place is kept: see {@link Shelf}. */
    SHELVED,
    /** The first of its key, but only its place was kept: it has to be read again. */
    AWAITED,
    /** In the ready queue of its handler. */
    READY,
    /** Ready, but its partition starts nothing now. */
    PARKED,
    /** Handed to a thread. */
    RUNNING,
    /** Failed; waits for its next attempt. */
    RETRY_WAIT,
    /** Its dead letter, or its record in the delay topics, is being written. */
    LEAVING,
    /** Terminal, or dropped with its partition. */
    ENDED
  }

  final PartitionState partition;
  final HandlerState handler;
  final long keyHash;
  final boolean ordered;
  int bytes;
  State state = State.READY;

  /** 0 until somebody asks: few tasks are anything but at their first attempt. */
  private int attempt;

  /** When it came among all tasks of the engine; 0 once it was tried and failed. */
  long age;

  long dueNanos;
  boolean keyHeldByHungThread;

  /** Ordered as one of its partition's line, and not by its key. */
  boolean inLine;

  /** Only its place was kept, and the log has it no more. */
  boolean lostFromLog;

  /** Handed to the thread that has the unfinished task before it of its key, to be worked next. */
  boolean follows;

  /** Whom it was submitted for, where tenants are served in turns. */
  private String tenant = "";

  /** How urgent it is, where its queue has priorities. */
  private byte level;

  /** The line of its tenant that it stands in, or has started from. */
  TenantTurns.@Nullable Line line;

  @Nullable TaskRun nextInQueue;
  @Nullable TaskRun nextOfKey;
  private volatile boolean cancelled;
  private volatile boolean timedOut;

  /** What the present attempt said last of itself; null if it said nothing. */
  private volatile @Nullable Sign sign;

  /**
   * A sign of life of an attempt.
   *
   * @param nanos when, by the monotonic clock
   */
  private record Sign(long nanos, String progress) {}

  /**
   * @param offset of the record
   * @param partition the assignment that it was read under
   * @param handler the handler that its type picks
   * @param order what it is ordered by
   * @param bytes what it costs in memory
   */
  protected TaskRun(
      long offset, PartitionState partition, HandlerState handler, OrderedBy order, int bytes) {
    super(offset);
    this.partition = partition;
    this.handler = handler;
    this.ordered = order.ordered();
    this.keyHash = order.hash();
    this.bytes = bytes;
  }

  /**
   * Says how it is served, before it is accepted, where its queue serves in turns.
   *
   * @param level its priority; what is above the highest one of the queue is that one
   * @param tenant whom it was submitted for
   */
  protected final void servedAs(int level, String tenant) {
    this.level = (byte) Math.max(0, Math.min(Byte.MAX_VALUE, level));
    this.tenant = tenant;
  }

  /** How urgent it is: 0 for the least. */
  protected final int level() {
    return level;
  }

  final String tenant() {
    return tenant;
  }

  /** The assignment that this was read under. */
  public final PartitionState assignment() {
    return partition;
  }

  /** The handler of this task. */
  public final HandlerState handler() {
    return handler;
  }

  /** The present attempt, 1 for the first. */
  public final int attempt() {
    int known = attempt;
    if (known == 0) {
      known = firstAttempt();
      attempt = known;
    }
    return known;
  }

  /** The attempt that this process begins with: 1, unless others were made elsewhere. */
  protected int firstAttempt() {
    return 1;
  }

  /** Whether an attempt of it has failed, here or elsewhere. */
  final boolean failedBefore() {
    return age == 0 || attempt() > 1;
  }

  /** Only its place is kept from now on: what the record is can be forgotten. */
  protected void shelved() {}

  final void nextAttempt() {
    attempt = attempt() + 1;
  }

  /** Whether it is with a thread; to be used under the engine's lock. */
  public final boolean running() {
    return state == State.RUNNING;
  }

  /** Whether it ends; to be used under the engine's lock. */
  public final boolean leaving() {
    return state == State.LEAVING || state == State.ENDED;
  }

  /** Whether the handler was told to stop. May be read by any thread. */
  public final boolean cancelled() {
    return cancelled;
  }

  /** Tells the handler to stop. */
  public final void cancel() {
    cancelled = true;
  }

  /** Whether the time of the present attempt is up. May be read by any thread. */
  public final boolean timedOut() {
    return timedOut;
  }

  /** Tells the handler that its time is up. */
  public final void timeOut() {
    timedOut = true;
    cancelled = true;
  }

  /** The attempt gets on: its time counts from then on. May be called by any thread. */
  public final void heartbeat(long nowNanos, String progress) {
    if (!timedOut) {
      sign = new Sign(nowNanos, progress);
    }
  }

  /** From when on the time of the present attempt counts, where it began then. */
  public final long aliveNanos(long startNanos) {
    Sign last = sign;
    return last == null ? startNanos : last.nanos();
  }

  /** What the present attempt said last of its progress; empty if nothing. */
  public final String progress() {
    Sign last = sign;
    return last == null ? "" : last.progress();
  }

  /** Whether the partition was lost or handed over since; may be read by any thread. */
  public final boolean stale() {
    return partition.gone();
  }

  final void beginAttempt() {
    state = State.RUNNING;
    if (sign != null) {
      sign = null;
    }
    if (cancelled) { // a volatile write costs more than all of this
      cancelled = false;
      timedOut = false;
    }
  }
}
