// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.flow.ledger.LedgerSnapshot;
import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import dev.sluice.flow.pause.Pauses;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * All state of one worker and every decision about it. Not thread-safe: each call is made under one
 * lock, which is never held while a handler runs or the network is used.
 *
 * <p>A task that was accepted is in exactly one place: behind another one of its key, in the ready
 * queue of its handler, parked with its partition, with a thread, waiting for its next attempt, or
 * with the dead-letter writer. It stays in its ledger until it ends, and in its lane unless it is
 * shelved.
 */
public final class Engine {
  /** To put more threads than that to sleep and wake them costs more than it saves a crash. */
  private static final int MANY_AT_ONCE = 256;

  /** Handlers that need no more for a task gain nothing by order per key. */
  private static final long QUICK_NANOS = 2_000;

  private static final long NOT_QUICK_NANOS = 2 * QUICK_NANOS;

  /** So many tasks behind one that waits stay complete. */
  private static final int KEPT_MAX = 100;

  /** Where a run goes in the queue of its handler. */
  private enum Place {
    FIRST,
    LAST,
    RELEASED
  }

  private final Map<PartitionId, PartitionState> partitions = new LinkedHashMap<>();
  private final Map<PartitionId, PartitionState> leftovers = new HashMap<>();
  private final List<HandlerState> handlers = new ArrayList<>();
  private final List<QueueState> queues = new ArrayList<>();

  /** The partitions with something to look after: of a thousand, few have tasks at a time. */
  private final List<PartitionState> live = new ArrayList<>();

  private final KeyTable keys = new KeyTable();
  private final PriorityQueue<TaskRun> retries =
      new PriorityQueue<>(Comparator.comparingLong(run -> run.dueNanos));
  private final long origin;
  private final long seed;
  private final long bytesMax;
  private final Membership membership;
  private int nextHandler;
  private long epochs;
  private long bytes;
  private boolean bytesFull;

  /** What is left is for the most urgent tasks of queues with priorities. */
  private boolean bytesTight;

  private boolean stopping;
  private boolean turnWanted;
  private boolean lanesLow;
  private boolean somePaused;
  private long accepted;
  private long probes;
  private final CommitPace commitPace = new CommitPace();

  /**
   * @param bytesMax the bytes of tasks at which fetching stops
   * @param membership says whether tasks may be started; used under the engine's lock from now on
   * @param seed makes the hashes of keys unpredictable
   * @param nowNanos the present monotonic time
   */
  public Engine(long bytesMax, Membership membership, long seed, long nowNanos) {
    this.bytesMax = bytesMax;
    this.membership = membership;
    this.seed = seed;
    this.origin = nowNanos;
  }

  /** Adds a handler, before anything is assigned. */
  public void add(HandlerState handler) {
    handlers.add(handler);
    if (!queues.contains(handler.queue)) {
      queues.add(handler.queue);
    }
  }

  // ---- assignment ----

  /** A partition was given to this worker. */
  public PartitionState assigned(Assignment assignment) {
    PartitionId id = new PartitionId(assignment.topic(), assignment.partition());
    PartitionState leftover = leftovers.remove(id);
    long epoch = ++epochs;
    PartitionState partition =
        new PartitionState(assignment, epoch, OrderedBy.mix(seed + epoch), leftover);
    partition.draining = stopping;
    partitions.put(id, partition);
    touch(partition);
    return partition;
  }

  /** Starts nothing more of these partitions. */
  public void drain(Collection<PartitionId> ids) {
    for (PartitionId id : ids) {
      PartitionState partition = partitions.get(id);
      if (partition != null) {
        partition.draining = true;
        touch(partition);
      }
    }
  }

  /** Starts nothing more at all: the worker stops. */
  public void drainAll() {
    stopping = true;
    drain(partitions.keySet());
  }

  /** Whether nothing of these partitions is with a thread or with the dead-letter writer. */
  public boolean quiet(Collection<PartitionId> ids) {
    for (PartitionId id : ids) {
      PartitionState partition = partitions.get(id);
      if (partition != null && partition.running + partition.leaving > 0) {
        return false;
      }
    }
    return true;
  }

  /** Ends an assignment; what is still running of it is stale from now on. */
  public void removed(PartitionId id) {
    PartitionState partition = partitions.remove(id);
    if (partition == null) {
      return;
    }
    partition.markGone();
    partition.line = null;
    partition.live = false;
    live.remove(partition);
    TaskRun run = (TaskRun) partition.ledger.first();
    while (run != null) {
      bytes -= run.bytes;
      if (run.ordered && !run.inLine) {
        keys.removeIfLast(run);
      }
      run.nextOfKey = null;
      if (run.state != TaskRun.State.RUNNING) {
        run.state = TaskRun.State.ENDED;
      }
      run = (TaskRun) run.after();
    }
    retries.removeIf(waiting -> waiting.partition == partition);
    partition.parked.removeGone();
    for (HandlerState handler : partition.queue.handlers) {
      handler.ready.removeGone();
    }
    PartitionState before = partition.predecessor;
    if (partition.running > 0) {
      leftovers.put(id, partition);
    } else if (before != null) {
      // It never started anything: whoever comes next waits for the same runs as it did.
      leftovers.put(id, before);
    }
    bytesFull &= bytes > bytesMax / 4 * 3;
    bytesTight &= bytes > bytesMax / 2;
  }

  /** The assignment of a partition, or null. */
  public @Nullable PartitionState partition(PartitionId id) {
    return partitions.get(id);
  }

  /** The partitions that are assigned. */
  public Collection<PartitionState> partitions() {
    return partitions.values();
  }

  /**
   * Those of the assigned partitions that have tasks, a pause, or something to commit. All others
   * are fetched, and nothing of them changes by itself.
   */
  public List<PartitionState> live() {
    return live;
  }

  private void touch(PartitionState partition) {
    if (!partition.live && !partition.gone()) {
      partition.live = true;
      live.add(partition);
    }
  }

  /** Everything below this offset of the partition was seen: what was not accepted is no work. */
  public void seenUpTo(PartitionState partition, long offset) {
    partition.ledger.seenUpTo(offset);
    if (partition.ledger.hasNews()) {
      touch(partition);
    }
  }

  // ---- tasks in ----

  /** A record was read. */
  public void accept(TaskRun run) {
    PartitionState partition = run.partition;
    partition.lane.add(run.bytes);
    run.age = ++accepted;
    partition.ledger.accept(run);
    addBytes(run.bytes);
    touch(partition);
    PartitionLine line = partition.line;
    if (run.ordered && line != null) {
      if (line.add(run)) {
        ready(run, Place.LAST);
      }
      return;
    }
    if (run.ordered) {
      TaskRun last = keys.putLast(run);
      if (last != null) {
        last.nextOfKey = run;
        run.state = TaskRun.State.BEHIND_KEY;
        partition.shelf.worthALook = true;
        if (last.state == TaskRun.State.SHELVED
            && partition.shelf.hasRoom()
            && !partition.shelf.wants(last)) {
          shelve(run);
        }
        return;
      }
    }
    ready(run, Place.LAST);
  }

  /**
   * Forgets the records of tasks behind those that wait for their next attempt, where the lane
   * would be paused for want of room: it is to be had for keys that can go on.
   */
  private void shelve(PartitionState partition) {
    if (!partition.lane.full()
        || partition.queue.hasPlenty()
        || partition.retryWaiting == 0
        || partition.draining
        || !partition.shelf.hasRoom()
        || !partition.shelf.worthALook) {
      return;
    }
    partition.shelf.worthALook = false;
    int kept = Math.min(KEPT_MAX, partition.lane.capacity() / 8);
    for (TaskRun waiting : retries) {
      if (waiting.partition != partition) {
        continue;
      }
      // The first ones stay: with them the key goes on while the next ones are read again.
      TaskRun run = waiting.nextOfKey;
      for (int k = 0; k < kept && run != null; k++) {
        run = run.nextOfKey;
      }
      while (run != null && run.state == TaskRun.State.BEHIND_KEY && partition.shelf.hasRoom()) {
        shelve(run);
        run = run.nextOfKey;
      }
    }
  }

  private void shelve(TaskRun run) {
    run.state = TaskRun.State.SHELVED;
    run.partition.shelf.add();
    run.partition.lane.remove(run.bytes);
    int kept = Math.min(run.bytes, Shelf.BYTES);
    bytes -= run.bytes - kept;
    run.bytes = kept;
    run.shelved();
    someBytesFree();
  }

  /** The first of its key can go on, but only its place was kept, and that of some behind it. */
  private void want(TaskRun first) {
    first.state = TaskRun.State.AWAITED;
    // While some are read again, the partition takes in nothing new: not for a few tasks.
    int most = Math.max(1, first.partition.lane.capacity() / 4);
    TaskRun run = first;
    for (int i = 0; i < most && run != null; i++) {
      if (run != first && (run.state != TaskRun.State.SHELVED || run.lostFromLog)) {
        break;
      }
      run.partition.shelf.want(run);
      run = run.nextOfKey;
    }
    turnWanted = true;
  }

  /** Whether there is room for a task that was read again. */
  public boolean hasRoomFor(TaskRun wanted) {
    PartitionState partition = wanted.partition;
    if (partition.lane.hasRoom()) {
      return true;
    }
    return wanted.state == TaskRun.State.AWAITED
        && !partition.lane.brimful()
        && (partition.idle() || partition.ledger.first() == wanted);
  }

  /**
   * A task that was wanted was read again; it is complete before this is called.
   *
   * @param fullBytes what it costs in memory now
   */
  public void unshelved(TaskRun run, int fullBytes) {
    PartitionState partition = run.partition;
    partition.shelf.unwant(run);
    partition.shelf.remove();
    addBytes(fullBytes - run.bytes);
    run.bytes = fullBytes;
    if (partition.lane.hasRoom()) {
      partition.lane.add(fullBytes);
    } else {
      partition.lane.addBeyond(fullBytes);
    }
    if (run.state == TaskRun.State.AWAITED) {
      ready(run, Place.RELEASED);
    } else {
      run.state = TaskRun.State.BEHIND_KEY;
      partition.shelf.worthALook = true;
    }
  }

  /** A task that was wanted is not in the log any more: it ends when it would have its turn. */
  public void lostFromLog(TaskRun run) {
    run.partition.shelf.unwant(run);
    run.lostFromLog = true;
    if (run.state == TaskRun.State.AWAITED) {
      endLost(run);
      releaseKey(run);
    }
  }

  private void endLost(TaskRun run) {
    run.state = TaskRun.State.ENDED;
    run.partition.ledger.done(run);
    run.partition.shelf.remove();
    bytes -= run.bytes;
    someBytesFree();
  }

  /** A record was read that is the second one of a task: there is nothing to do for it. */
  public void duplicate(PartitionState partition, HandlerState handler, long offset) {
    handler.counters.duplicate++;
    seenUpTo(partition, offset + 1);
  }

  private void addBytes(int more) {
    bytes += more;
    if (bytes >= bytesMax && !bytesFull) {
      bytesFull = true;
      partitions.values().forEach(this::touch); // it pauses all of them
    }
    bytesTight |= bytes >= bytesMax / 4 * 3;
  }

  private void someBytesFree() {
    if (bytesFull && bytes <= bytesMax / 4 * 3) {
      bytesFull = false;
      turnWanted = true;
    }
    if (bytesTight && bytes <= bytesMax / 2) {
      bytesTight = false;
      turnWanted = true;
    }
  }

  private void ready(TaskRun run, Place place) {
    PartitionState partition = run.partition;
    if (partition.startsHeld(run)) {
      run.state = TaskRun.State.PARKED;
      partition.parked.addLast(run);
      return;
    }
    run.state = TaskRun.State.READY;
    partition.ready++;
    run.handler.readied();
    switch (place) {
      case FIRST -> run.handler.ready.addFirst(run);
      case LAST -> run.handler.ready.addLast(run);
      case RELEASED -> run.handler.ready.addReleased(run);
    }
  }

  private void unpark(PartitionState partition) {
    TaskRun first = (TaskRun) partition.ledger.first();
    if (partition.parked.size() == 0 || first == null || partition.startsHeld(first)) {
      return;
    }
    if (partition.ledgerFull()) {
      if (first.state == TaskRun.State.PARKED) {
        partition.parked.remove(first);
        ready(first, Place.FIRST);
      }
      return;
    }
    for (TaskRun run = partition.parked.poll(); run != null; run = partition.parked.poll()) {
      ready(run, Place.LAST);
    }
  }

  // ---- tasks out ----

  /**
   * Gives a thread what it works next, one after the other: tasks of one handler, each the first of
   * its key or right behind the one before it. So a key that has most of the tasks is worked in
   * batches, too. The thread owes {@link #slotEnded} when it is through; a task that does not
   * succeed ends the batch, because others may be behind it, and what is left goes back by {@link
   * #unstarted}, the last one first, before that task is reported.
   *
   * @param into takes the tasks; as many as fit at most
   * @param nowNanos the present monotonic time
   * @return how many
   */
  public int take(TaskRun[] into, long nowNanos) {
    if (!membership.mayStart(nowNanos)) {
      turnWanted = true;
      return 0;
    }
    if (commitPace.holds(nowNanos)) {
      return 0;
    }
    boolean again = true;
    for (int pass = 0; again && pass <= handlers.size(); pass++) {
      again = false;
      for (int i = 0; i < handlers.size(); i++) {
        int at =
            nextHandler + i < handlers.size() ? nextHandler + i : nextHandler + i - handlers.size();
        HandlerState handler = handlers.get(at);
        if (handler.ready.size() == 0 || handler.queue.paused || handler.held(nowNanos)) {
          continue;
        }
        if (handler.queue.hasMoreUrgentThan(handler, nowNanos)) {
          again = true; // if that one may not start, it is held now, and this one's turn comes
          continue;
        }
        int taken = take(handler, into, nowNanos);
        if (taken > 0) {
          nextHandler = at + 1 < handlers.size() ? at + 1 : 0;
          return taken;
        }
      }
    }
    return 0;
  }

  private int take(HandlerState handler, TaskRun[] into, long nowNanos) {
    QueueState queue = handler.queue;
    if (queue.running >= queue.concurrency) {
      handler.hold(PauseReason.BULKHEAD_FULL, Limit.UNTIL_RELEASE, nowNanos);
      return 0;
    }
    if (!handler.acquire(handler.threadLimits, nowNanos)) {
      return 0;
    }
    boolean probe = handler.probes();
    int more = commitPace.late() ? handler.batchMax() : handler.takeMax();
    int most = probe ? 1 : Math.min(into.length, more);
    int taken = 0;
    TaskRun run = null;
    while (taken < most) {
      TaskRun follower = run == null ? null : startableBehind(run);
      run = follower == null ? nextStartable(handler, probe, nowNanos) : follower;
      if (run == null) {
        break;
      }
      if (!handler.acquire(handler.taskLimits, nowNanos)) {
        if (follower == null) {
          handler.ready.takenBack(run);
          ready(run, Place.FIRST);
        }
        break;
      }
      if (probe) {
        run.partition.lastProbe = ++probes;
      }
      run.follows = follower != null;
      run.beginAttempt();
      run.partition.running++;
      into[taken++] = run;
    }
    if (taken == 0) {
      for (Limit limit : handler.threadLimits) {
        limit.cancel();
      }
      if (run == null && handler.ready.size() > 0) {
        handler.hold(PauseReason.TENANT_LIMIT, handler.ready.waitNanos(nowNanos), nowNanos);
      }
      return 0;
    }
    handler.counters.started += taken;
    handler.startedSome();
    queue.running++;
    return taken;
  }

  private static @Nullable TaskRun startableBehind(TaskRun run) {
    TaskRun next = run.nextOfKey;
    return next == null
            || run.handler.queue.inTurns()
            || next.state != TaskRun.State.BEHIND_KEY
            || next.handler != run.handler
            || next.partition.startsHeld(next)
        ? null
        : next;
  }

  private @Nullable TaskRun nextStartable(HandlerState handler, boolean probe, long nowNanos) {
    while (true) {
      TaskRun run = handler.ready.poll(nowNanos, probe);
      if (run == null) {
        return null;
      }
      if (run.state == TaskRun.State.ENDED) {
        handler.ready.takenBack(run);
        continue;
      }
      PartitionState partition = run.partition;
      partition.ready--;
      if (partition.startsHeld(run)) {
        handler.ready.takenBack(run);
        run.state = TaskRun.State.PARKED;
        partition.parked.addLast(run);
        continue;
      }
      return run;
    }
  }

  /** An attempt takes far longer than usual. */
  public void slow(TaskRun run) {
    run.handler.counters.slow++;
  }

  /** A thread is through with what it took; called after each of its runs was reported. */
  public void slotEnded(HandlerState handler, int worked, long nanos) {
    slotEnded(handler, worked, nanos, false);
  }

  /** A thread was given up with what it took: some permits stay with it until it returns. */
  public void slotHung(HandlerState handler, int worked, long nanos) {
    slotEnded(handler, worked, nanos, true);
  }

  private void slotEnded(HandlerState handler, int worked, long nanos, boolean hung) {
    if (worked > 0) {
      handler.worked(worked, nanos);
    }
    for (Limit limit : handler.threadLimits) {
      if (!hung || !limit.keptWhileHung()) {
        limit.release(Limit.Ending.SUCCESS, nanos, null);
      }
    }
    QueueState queue = handler.queue;
    queue.running--;
    for (HandlerState sibling : queue.handlers) {
      sibling.released();
    }
  }

  // ---- completions ----

  /**
   * A handler returned.
   *
   * @return false if the assignment is gone: the completion does not count
   */
  public boolean succeeded(TaskRun run, long nanos) {
    HandlerState.Counters counters = counted(run, nanos);
    if (run.partition.gone()) {
      counters.stale++;
      return false;
    }
    counters.succeeded++;
    finish(run);
    return true;
  }

  /**
   * A task was not run, because its deadline had passed or somebody has cancelled it.
   *
   * @return false if the assignment is gone: its next owner decides
   */
  public boolean notRun(TaskRun run, Left why) {
    HandlerState.Counters counters = counted(run, 0);
    if (run.partition.gone()) {
      counters.stale++;
      return false;
    }
    count(counters, why);
    finish(run);
    return true;
  }

  /**
   * An attempt ended without ending the task, which will be tried again.
   *
   * @param delayNanos after this long
   * @param attemptUsed whether the attempt counts
   */
  public void retry(TaskRun run, long delayNanos, boolean attemptUsed, long nanos, long nowNanos) {
    HandlerState.Counters counters = counted(run, nanos);
    if (attemptUsed) {
      counters.failed++;
    } else {
      counters.interrupted++;
    }
    if (run.partition.gone()) {
      counters.stale++;
      return;
    }
    orderByKey(run.partition);
    if (attemptUsed) {
      run.nextAttempt();
    }
    run.age = 0;
    if (delayNanos <= 0) {
      ready(run, Place.FIRST);
      return;
    }
    run.state = TaskRun.State.RETRY_WAIT;
    run.dueNanos = nowNanos + delayNanos;
    run.partition.retryWaiting++;
    run.partition.shelf.worthALook = true;
    retries.add(run);
  }

  /**
   * An attempt ended and there is to be no other; its dead letter is to be written now.
   *
   * @param hung whether the handler's thread is still inside: its key then stays held until {@link
   *     #hungReturned}
   * @return false if the assignment is gone: nothing is to be written
   */
  public boolean deadLetter(TaskRun run, boolean hung, long nanos) {
    HandlerState.Counters counters = counted(run, nanos);
    counters.failed++;
    if (hung) {
      counters.hung++;
    }
    if (run.partition.gone()) {
      counters.stale++;
      return false;
    }
    run.keyHeldByHungThread = hung && run.ordered;
    run.partition.keysHeldByHung += run.keyHeldByHungThread ? 1 : 0;
    leaves(run);
    return true;
  }

  /**
   * An attempt ended, and the task is to wait elsewhere for the next one; it is to be written there
   * now.
   *
   * @param attemptUsed whether the attempt counts
   * @return false if the assignment is gone: nothing is to be written
   */
  public boolean leave(TaskRun run, boolean attemptUsed, long nanos) {
    HandlerState.Counters counters = counted(run, nanos);
    if (attemptUsed) {
      counters.failed++;
    } else {
      counters.interrupted++;
    }
    if (run.partition.gone()) {
      counters.stale++;
      return false;
    }
    leaves(run);
    return true;
  }

  /**
   * A handler returned, and what it has submitted is to be written now.
   *
   * @return false if the assignment is gone: nothing is to be written
   */
  public boolean submits(TaskRun run, long nanos) {
    HandlerState.Counters counters = counted(run, nanos);
    if (run.partition.gone()) {
      counters.stale++;
      return false;
    }
    leaves(run);
    return true;
  }

  private void leaves(TaskRun run) {
    orderByKey(run.partition);
    run.state = TaskRun.State.LEAVING;
    run.partition.leaving++;
  }

  /** Where a task is that has left its lane. */
  public enum Left {
    /** It is done, and what it submitted is published. */
    DONE,
    /** It is a dead letter. */
    DEAD,
    /** It waits elsewhere for its next attempt. */
    LATER,
    /** Its deadline had passed, and its submitter was told. */
    EXPIRED,
    /** It was cancelled before it was run. */
    CANCELLED,
    /** It is the second one of its id. */
    DUPLICATE
  }

  /**
   * What was to be written of a task that leaves was acknowledged.
   *
   * @return false if the assignment is gone
   */
  public boolean left(TaskRun run, Left where) {
    PartitionState partition = run.partition;
    partition.leaving--;
    HandlerState.Counters counters = run.handler.counters;
    if (partition.gone()) {
      return false;
    }
    count(counters, where);
    finish(run);
    return true;
  }

  private static void count(HandlerState.Counters counters, Left where) {
    switch (where) {
      case DONE -> counters.succeeded++;
      case DEAD -> counters.dead++;
      case EXPIRED -> counters.expired++;
      case CANCELLED -> counters.cancelled++;
      case DUPLICATE -> counters.duplicate++;
      case LATER -> {
        // its attempt is counted already
      }
    }
  }

  /** The next snapshot of its partition counts this one as done, which leaves by its commit. */
  public void settle(TaskRun run) {
    run.partition.ledger.settle(run);
  }

  /** That commit did not come about. */
  public void unsettle(TaskRun run) {
    run.partition.ledger.unsettle(run);
  }

  /** A thread that was given up came back: its key is free, and what permits it had kept. */
  public void hungReturned(TaskRun run) {
    for (Limit limit : run.handler.threadLimits) {
      if (limit.keptWhileHung()) {
        limit.release(Limit.Ending.IGNORED, 0, null);
      }
    }
    if (run.keyHeldByHungThread) {
      run.keyHeldByHungThread = false;
      run.partition.keysHeldByHung--;
      if (run.partition.gone()) {
        keys.removeIfLast(run);
      } else if (run.state == TaskRun.State.ENDED) {
        releaseKey(run);
      }
    }
  }

  /** A task that was taken was not started: it goes back as if it had not been taken. */
  public void unstarted(TaskRun run) {
    PartitionState partition = run.partition;
    partition.running--;
    run.handler.counters.started--;
    for (Limit limit : run.handler.taskLimits) {
      limit.cancel();
    }
    if (!run.follows) {
      run.handler.ready.takenBack(run);
    }
    if (partition.gone()) {
      leftoverReturned(partition);
    } else if (run.follows) {
      run.follows = false;
      run.state = TaskRun.State.BEHIND_KEY;
    } else {
      ready(run, Place.FIRST);
    }
  }

  private HandlerState.Counters counted(TaskRun run, long nanos) {
    PartitionState partition = run.partition;
    partition.running--;
    run.handler.ready.ended(run);
    if (partition.gone()) {
      leftoverReturned(partition);
    } else if (partition.draining && partition.running == 0) {
      turnWanted = true;
    }
    HandlerState.Counters counters = run.handler.counters;
    counters.nanos += nanos;
    counters.nanosMax = Math.max(counters.nanosMax, nanos);
    return counters;
  }

  private void leftoverReturned(PartitionState partition) {
    if (partition.running > 0) {
      return;
    }
    leftovers.remove(new PartitionId(partition.topic, partition.partition), partition);
    PartitionState successor = partition.successor;
    if (successor != null) {
      successor.predecessor = null;
      unpark(successor);
    }
  }

  private void finish(TaskRun run) {
    PartitionState partition = run.partition;
    run.state = TaskRun.State.ENDED;
    partition.ledger.done(run);
    partition.lane.remove(run.bytes);
    bytes -= run.bytes;
    someBytesFree();
    if (run.ordered && !run.keyHeldByHungThread) {
      releaseKey(run);
    }
    PartitionLine line = partition.line;
    if (line != null && run.ordered && !run.inLine) {
      TaskRun first = line.endedBefore();
      if (first != null) {
        ready(first, Place.RELEASED);
      }
    }
    lanesLow |= partition.pauses.paused() && partition.lane.refillable();
    if (!partition.transactional()) {
      turnWanted |= commitPace.ended() || !commitPace.underWay() && partition.commitSoon();
    }
  }

  // ---- order ----

  /** What comes from now on is ordered by its partition: handlers need next to nothing for it. */
  private static void orderInLine(PartitionState partition, long nowNanos) {
    int before = 0;
    for (TaskRun run = (TaskRun) partition.ledger.first();
        run != null;
        run = (TaskRun) run.after()) {
      before += run.ordered ? 1 : 0;
    }
    partition.line = new PartitionLine(before, nowNanos);
  }

  /** The tasks of a partition that are in its line are ordered by their keys again. */
  private void orderByKey(PartitionState partition) {
    if (partition.line == null) {
      return;
    }
    partition.endLine();
    partition.shelf.worthALook = true;
    for (TaskRun run = (TaskRun) partition.ledger.first();
        run != null;
        run = (TaskRun) run.after()) {
      if (!run.inLine) {
        continue;
      }
      run.inLine = false;
      run.nextOfKey = null;
      TaskRun last = keys.putLast(run);
      if (last != null) {
        last.nextOfKey = run;
        continue;
      }
      run.follows = false; // the thread that has it has none before it of its key
      if (run.state == TaskRun.State.BEHIND_KEY) {
        ready(run, Place.LAST);
      }
    }
  }

  /** A thread has been at this task for long: others of its partition do not wait for it. */
  public void heldUp(TaskRun run, long nowNanos) {
    if (!run.partition.gone()) {
      run.partition.heldUp(nowNanos);
      orderByKey(run.partition);
    }
  }

  /** Whether tasks of other keys wait behind this one. */
  public boolean holdsOthersUp(TaskRun run) {
    return run.inLine && run.nextOfKey != null;
  }

  private int lines() {
    int lines = 0;
    for (PartitionState partition : partitions.values()) {
      PartitionLine line = partition.line;
      lines += line != null && !line.isEmpty() ? 1 : 0;
    }
    return lines;
  }

  private void releaseKey(TaskRun run) {
    TaskRun ended = run;
    TaskRun next = ended.nextOfKey;
    while (next != null && next.lostFromLog) {
      ended.nextOfKey = null;
      endLost(next);
      ended = next;
      next = ended.nextOfKey;
    }
    PartitionLine line = ended.partition.line;
    if (next == null && ended.inLine && line != null) {
      line.ended();
      return;
    }
    if (next == null) {
      keys.removeIfLast(ended);
      return;
    }
    ended.nextOfKey = null;
    if (next.follows) {
      next.follows = false; // the thread that had this one has that one, too
    } else if (next.state == TaskRun.State.SHELVED) {
      want(next);
    } else {
      ready(next, Place.RELEASED);
    }
  }

  // ---- time ----

  /**
   * Does what time has brought: attempts that are due, partitions that may start again. Called by
   * the poll thread in each of its turns.
   */
  public void turn(long nowNanos) {
    membership.turn(nowNanos);
    turnWanted = false;
    lanesLow = false;
    for (TaskRun run = retries.peek();
        run != null && run.dueNanos - nowNanos <= 0;
        run = retries.peek()) {
      retries.poll();
      run.partition.retryWaiting--;
      ready(run, Place.FIRST);
    }
    int kept = 0;
    for (int i = 0; i < live.size(); i++) {
      PartitionState partition = live.get(i);
      unpark(partition);
      if (partition.quiet() && !bytesFull && !partition.queue.paused) {
        partition.live = false;
      } else {
        live.set(kept++, partition);
      }
    }
    live.subList(kept, live.size()).clear();
  }

  /**
   * Whether nothing of what is owned is started until {@link #proven} is told of a later request.
   */
  public boolean suspended() {
    return membership.suspended() && !partitions.isEmpty();
  }

  /** What is known of the place in the group. */
  public Membership membership() {
    return membership;
  }

  /** The coordinator has answered, as it answers a member, a request that was sent then. */
  public void proven(long sentNanos) {
    membership.proven(sentNanos);
  }

  /** The coordinator has answered as it does to one that is not its member any more. */
  public void refused(long nowNanos) {
    membership.refused(nowNanos);
  }

  /** Whether a request is due that proves the place in the group. */
  public boolean wantsProof(long nowNanos) {
    return !partitions.isEmpty() && membership.wantsProof(nowNanos);
  }

  /** For how long the place in the group has not been proven; 0 if nothing is owned. */
  public long unprovenNanos(long nowNanos) {
    return partitions.isEmpty() ? 0 : membership.ageNanos(nowNanos);
  }

  /** Whether the poll thread should take its next turn at once. */
  public boolean turnWanted() {
    return turnWanted;
  }

  /** Whether a lane that is paused has room again: the poll thread may resume it. */
  public boolean lanesLow() {
    return lanesLow;
  }

  /** Whether some partition was paused by the last {@link #plan}. */
  public boolean somePaused() {
    return somePaused;
  }

  /**
   * How long the ready tasks of each queue would keep all threads busy that it may have; the least
   * of the queues that have tasks with threads.
   */
  public long restNanos(long nowNanos) {
    long rest = Long.MAX_VALUE;
    for (QueueState queue : queues) {
      if (queue.running > 0) {
        rest = Math.min(rest, queue.readyNanos(nowNanos) / queue.concurrency);
      }
    }
    return rest;
  }

  /** After how many nanoseconds the next turn is due; MAX_VALUE if time changes nothing. */
  public long nextTurnNanos(long nowNanos) {
    TaskRun due = retries.peek();
    long next = due == null ? Long.MAX_VALUE : Math.max(0, due.dueNanos - nowNanos);
    for (HandlerState handler : handlers) {
      if (handler.held(nowNanos)) {
        next = Math.min(next, handler.lookAgainNanos(nowNanos));
      }
    }
    return next;
  }

  /** Tasks that wait for nothing but a thread and their limits. */
  public int ready() {
    int ready = 0;
    for (HandlerState handler : handlers) {
      ready += handler.ready.size();
    }
    return ready;
  }

  /** Whether a thread that looked now might find a task. */
  public boolean startable(long nowNanos) {
    if (membership.suspended() || commitPace.holds(nowNanos)) {
      return false;
    }
    for (HandlerState handler : handlers) {
      if (handler.ready.size() > 0 && !handler.queue.paused && !handler.held(nowNanos)) {
        return true;
      }
    }
    return false;
  }

  /** Whether all that a thread would find now is quickly done. */
  public boolean onlyFast(long nowNanos) {
    for (HandlerState handler : handlers) {
      if (handler.ready.size() > 0 && !handler.held(nowNanos) && handler.batchMax() == 1) {
        return false;
      }
    }
    return true;
  }

  /** How long the ready tasks of all handlers that may start some would keep one thread busy. */
  public long readyNanos(long nowNanos) {
    long nanos = 0;
    for (QueueState queue : queues) {
      nanos += queue.readyNanos(nowNanos);
    }
    return nanos;
  }

  // ---- pauses ----

  /** Decides anew for each partition whether it is fetched, and why not. */
  public void plan(long nowNanos) {
    somePaused = false;
    for (QueueState queue : queues) {
      queue.lookAhead(nowNanos);
    }
    for (PartitionState partition : live) {
      partition.lane.aim(partition.queue.laneAim());
      if (partition.line == null) {
        if (partition.queue.mayWorkInLine(QUICK_NANOS) && partition.mayHaveLine(nowNanos)) {
          orderInLine(partition, nowNanos);
        }
      } else if (!partition.queue.mayWorkInLine(NOT_QUICK_NANOS)) {
        orderByKey(partition);
      }
      shelve(partition);
      partition.pauses.set(reasons(partition, nowNanos), nowNanos);
      somePaused |= partition.pauses.paused();
    }
  }

  private int reasons(PartitionState partition, long nowNanos) {
    int reasons = partition.queue.paused ? Pauses.bit(PauseReason.OPERATOR) : 0;
    if (partition.draining) {
      reasons |= Pauses.bit(PauseReason.DRAINING);
    }
    if (partition.hangsOnWanted()) {
      return reasons; // nothing new is read meanwhile, and all that is full may wait for this one
    }
    if (partition.lane.full()) {
      reasons |= Pauses.bit(PauseReason.LANE_FULL);
    }
    if (bytesFull || bytesTight && partition.yieldsBytes()) {
      reasons |= Pauses.bit(PauseReason.BYTES_FULL);
    }
    if (partition.ledgerFull()) {
      reasons |= Pauses.bit(PauseReason.LEDGER_FULL);
    }
    // More tasks do not help while those that are here are held back.
    if (partition.lane.aboveLow()) {
      if (partition.ready > 0) {
        reasons |= partition.queue.heldReasons(nowNanos);
      } else if (partition.retryWaiting > 0
          && partition.running == 0
          && !partition.shelf.wantsSome()
          && !partition.shelf.hasRoom()) {
        reasons |= Pauses.bit(PauseReason.RETRY_WAIT);
      }
    }
    return reasons;
  }

  // ---- the fleet and its operators ----

  /** An operator paused or resumed a queue: nothing of a paused one starts. */
  public void pause(String queue, boolean paused) {
    for (HandlerState handler : handlers) {
      if (handler.queue.name.equals(queue) && handler.queue.paused != paused) {
        handler.queue.paused = paused;
        partitions.values().forEach(this::touch);
        turnWanted = true;
      }
    }
  }

  /** The fleet granted something: what waited for it may look again. */
  public void fleetGranted() {
    for (HandlerState handler : handlers) {
      handler.fleetGranted();
    }
    turnWanted = true;
  }

  /** Somebody waits for a task: handlers that were held until a release may look again. */
  public void lookAgain() {
    for (HandlerState handler : handlers) {
      handler.released();
    }
  }

  /** How much each handler has to do. */
  public List<HandlerLoad> loads() {
    List<HandlerLoad> loads = new ArrayList<>(handlers.size());
    for (HandlerState handler : handlers) {
      loads.add(
          new HandlerLoad(
              handler.queue.name,
              handler.type,
              handler.ready.size(),
              handler.counters.started,
              handler.counters.nanos,
              handler.queue.concurrency));
    }
    return loads;
  }

  // ---- commits ----

  /**
   * What the consumer is to commit: the partitions whose ledger has news, each with its snapshot.
   */
  public Map<PartitionState, LedgerSnapshot> snapshots(
      Collection<PartitionState> of, int metadataBytesMax) {
    Map<PartitionState, LedgerSnapshot> news = new LinkedHashMap<>();
    commitPace.taken();
    for (PartitionState partition : of) {
      if (partition.ledger.hasNews() && !partition.transactional()) {
        news.put(partition, partition.ledger.snapshot(metadataBytesMax));
      }
    }
    return news;
  }

  /** The broker acknowledged these. */
  public void acknowledged(Map<PartitionState, LedgerSnapshot> committed) {
    committed.forEach(
        (partition, snapshot) -> {
          if (!partition.gone()) {
            partition.ledger.acknowledged(snapshot);
            unpark(partition);
          }
        });
  }

  /** Whether a commit waits for its acknowledgement: it was sent now, or answered or given up. */
  public void commitUnderWay(boolean underWay, long nowNanos) {
    if (underWay) {
      commitPace.sent(nowNanos);
    } else {
      commitPace.answered(nowNanos);
    }
  }

  /**
   * Snapshots are about to be taken: learns from what has ended since the last ones how many are
   * worth a commit before its time.
   *
   * @param sinceNanos the time since the last ones
   * @param intervalNanos after which a commit is due at the latest
   */
  public void commitPace(long sinceNanos, long intervalNanos) {
    boolean quick = true;
    for (HandlerState handler : handlers) {
      quick &= handler.counters.started == 0 || handler.batchMax() > 1;
    }
    long most = 0;
    for (QueueState queue : queues) {
      most += queue.concurrency;
    }
    commitPace.measure(sinceNanos, intervalNanos, quick, most > MANY_AT_ONCE);
  }

  /** Whether so much ends that commits do not wait for their interval. */
  public boolean commitsFollow() {
    return commitPace.follows();
  }

  /** Whether so much has ended since the last snapshots that a commit need not wait long. */
  public boolean worthCommitting() {
    return commitPace.worthIt();
  }

  /** Whether so much has ended without an acknowledgement that nothing starts until it is there. */
  public boolean commitHolds(long nowNanos) {
    return commitPace.holds(nowNanos);
  }

  /** Whether somebody waits for what ends here: each end is worth a commit then. */
  public void hurry(boolean someoneWaits) {
    commitPace.hurry(someoneWaits);
  }

  /** Whether some partition should be committed without waiting for the interval. */
  public boolean commitSoon() {
    for (PartitionState partition : live) {
      if (partition.commitSoon() && !partition.transactional()) {
        return true;
      }
    }
    return false;
  }

  /**
   * Looks for places that were never given back: lanes against ledgers, slots and permits against
   * the threads that have them.
   *
   * @param threadsOf how many threads have tasks of a handler, those that were given up apart
   * @return what does not add up, in words; empty if nothing leaks
   */
  public List<String> audit(ToIntFunction<HandlerState> threadsOf) {
    return Audit.leaks(partitions.values(), queues, threadsOf);
  }

  // ---- what others may see ----

  /** The state of everything, as an immutable copy. */
  public EngineSnapshot snapshot(long nowNanos) {
    return new EngineSnapshot(
        nowNanos - origin,
        nowNanos - membership.turnNanos(),
        suspended(),
        bytes,
        keys.size() + lines(),
        partitions.values().stream()
            .map(p -> EngineSnapshot.PartitionView.of(p, nowNanos))
            .toList(),
        handlers.stream().map(EngineSnapshot.HandlerView::of).toList());
  }
}
