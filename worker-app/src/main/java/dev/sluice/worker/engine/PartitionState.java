// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.flow.lane.Lane;
import dev.sluice.flow.ledger.Ledger;
import dev.sluice.flow.pause.PauseReason;
import dev.sluice.flow.pause.Pauses;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * One assignment of one partition: its lane, its ledger, its pauses. Gone when it is taken away.
 */
public final class PartitionState {
  private static final int ENDED_BY_COMPLETIONS =
      Pauses.bit(PauseReason.LANE_FULL)
          | Pauses.bit(PauseReason.BYTES_FULL)
          | Pauses.bit(PauseReason.LEDGER_FULL);

  /** Longer than threads are left without being looked after. */
  private static final long REST_NANOS = 100_000_000;

  private static final long REST_NANOS_MAX = 10_000_000_000L;
  private static final long LASTED_NANOS = 1_000_000_000;

  final QueueState queue;
  final String topic;
  final int partition;
  final long epoch;
  final long seed;
  final Lane lane;
  final Ledger ledger;
  final Pauses pauses = new Pauses();
  final Shelf shelf;
  final RunQueue parked = new RunQueue();
  final int uncommittedMax;
  private final int level;
  int running;
  int ready;
  int retryWaiting;

  /** The number of the last start in it that was to find out whether a handler can work again. */
  long lastProbe;

  int leaving;

  /** Keys that threads hold which were given up. */
  int keysHeldByHung;

  /** While its tasks have one order, whatever their keys are. */
  @Nullable PartitionLine line;

  /** From when on it may have a line, where it had one, or some task held its thread up. */
  private long lineFromNanos;

  private long restNanos = REST_NANOS;
  private boolean heldUpBefore;
  private @Nullable PartitionLine ended;

  /** Written under the engine's lock, read by any thread. */
  volatile boolean draining;

  /** Whether it is among those that are looked at in each turn. */
  boolean live;

  @Nullable PartitionState predecessor;
  @Nullable PartitionState successor;
  private volatile boolean gone;

  PartitionState(
      Assignment assignment, long epoch, long seed, @Nullable PartitionState predecessor) {
    this.queue = assignment.queue();
    this.level = assignment.level();
    this.topic = assignment.topic();
    this.partition = assignment.partition();
    this.epoch = epoch;
    this.seed = seed;
    this.lane = new Lane(assignment.laneCapacity(), assignment.pollRecordsMax());
    this.shelf = new Shelf(assignment.shelfCapacity());
    this.ledger =
        new Ledger(assignment.position(), assignment.committedPosition(), assignment.restored());
    this.uncommittedMax = assignment.uncommittedMax();
    this.predecessor = predecessor;
    if (predecessor != null) {
      predecessor.successor = this;
    }
  }

  /** The topic. */
  public String topic() {
    return topic;
  }

  /** The number of the partition. */
  public int partition() {
    return partition;
  }

  /** Distinguishes this assignment from every other one of this worker. */
  public long epoch() {
    return epoch;
  }

  /** What is done; to be used under the engine's lock. */
  public Ledger ledger() {
    return ledger;
  }

  /** Whether its progress is committed in transactions, and not by the consumer. */
  public boolean transactional() {
    return queue.transactional;
  }

  /** Whether nothing more of it starts, because it is handed over; may be read by any thread. */
  public boolean draining() {
    return draining;
  }

  /** Whether this assignment has ended; may be read by any thread. */
  public boolean gone() {
    return gone;
  }

  /** Whether it is paused, and why; to be used under the engine's lock. */
  public Pauses pauses() {
    return pauses;
  }

  /** Tasks that are handed to threads. */
  public int running() {
    return running;
  }

  /**
   * The lowest offset that was read, is not done, and has to be read again; -1 if there is none. To
   * be used under the engine's lock.
   */
  public long wantedFrom() {
    return shelf.wantedFrom();
  }

  /** The task of that offset if it is to be read again. To be used under the engine's lock. */
  public @Nullable TaskRun wantedAt(long offset) {
    return shelf.wantedAt(offset);
  }

  /**
   * What is to be read again of these offsets, the second one excluded. To be used under the
   * engine's lock.
   */
  public Collection<TaskRun> wantedIn(long from, long to) {
    return shelf.wantedIn(from, to);
  }

  /** Whether none of its tasks runs, or could. */
  boolean idle() {
    return ready == 0 && running == 0;
  }

  /** Whether only a task that is to be read again gets it on, or lets a commit cover more. */
  boolean hangsOnWanted() {
    return shelf.wantsSome()
        && !lane.brimful()
        && (idle()
            || ledger.first() instanceof TaskRun first && first.state == TaskRun.State.AWAITED);
  }

  /** Whether the last part of the memory is for the tasks of others: more urgent ones. */
  boolean yieldsBytes() {
    return level < queue.levels() - 1;
  }

  /** How full the lane is; to be used under the engine's lock. */
  public Lane lane() {
    return lane;
  }

  /**
   * How many completions, or acknowledged ones, would end its pause; 0 if it has none, or one that
   * completions do not end. To be used under the engine's lock.
   */
  public long surplus() {
    if (!pauses.onlyOf(ENDED_BY_COMPLETIONS)) {
      return 0;
    }
    long tasks = lane.surplus();
    return Math.max(1, ledgerFull() ? tasks + ledger.uncommitted() - uncommittedMax : tasks);
  }

  long seed() {
    return seed;
  }

  void markGone() {
    gone = true;
  }

  /** A task holds its thread up. */
  void heldUp(long nowNanos) {
    heldUpBefore = true;
    lineFromNanos = nowNanos + restNanos;
  }

  /** Its tasks are ordered by key again. */
  void endLine() {
    ended = line;
    line = null;
  }

  /**
   * Whether a line would do: nothing is known to hold the tasks of some key up. After one that did
   * not last it is the longer until the next: to take one apart costs something for each task.
   */
  boolean mayHaveLine(long nowNanos) {
    PartitionLine last = ended;
    if (last != null) {
      ended = null;
      boolean lasted = nowNanos - last.beganNanos > LASTED_NANOS;
      restNanos = lasted ? REST_NANOS : Math.min(REST_NANOS_MAX, 2 * restNanos);
      heldUp(nowNanos);
    }
    return retryWaiting == 0
        && leaving == 0
        && keysHeldByHung == 0
        && shelf.size() == 0
        && !draining
        && !(heldUpBefore && lineFromNanos - nowNanos > 0);
  }

  boolean ledgerFull() {
    return ledger.uncommitted() >= uncommittedMax;
  }

  /** Whether nothing is left of it to look after until something happens to it. */
  boolean quiet() {
    return ledger.undone() == 0
        && running == 0
        && parked.size() == 0
        && !draining
        && !pauses.paused()
        && !ledger.hasNews();
  }

  /** Whether half of what may be uncommitted is; to be used under the engine's lock. */
  public boolean commitIsUrgent() {
    return commitSoon();
  }

  /** Whether a commit should not wait for its interval. */
  boolean commitSoon() {
    return ledger.uncommitted() * 2 >= uncommittedMax;
  }

  /**
   * Whether this run of it may not start now: it is being handed over, what this process started
   * under an earlier assignment is still running, or too much is uncommitted. Even then the first
   * unfinished one starts if its offset is what is committed: where the metadata has no room for
   * what is done behind it, only its end lets a commit cover more.
   */
  boolean startsHeld(TaskRun run) {
    PartitionState before = predecessor;
    return draining
        || before != null && before.running > 0
        || ledgerFull() && !(ledger.first() == run && ledger.positionCommitted());
  }
}
