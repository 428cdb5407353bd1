// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.flow.ledger.DoneRanges;
import dev.sluice.flow.ledger.LedgerCodec;
import dev.sluice.time.Clock;
import dev.sluice.worker.engine.Assignment;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.PartitionId;
import dev.sluice.worker.engine.PartitionState;
import dev.sluice.worker.thread.HandlerThreads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that owns the consumer. It polls, hands records to the engine, pauses and resumes,
 * commits, and takes part in rebalances; no user code and no wait for a permit happens on it.
 * Handler threads meet it only under the engine's lock, and wake it when a pause may have ended.
 */
public final class PollLoop implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(PollLoop.class);
  private static final long IDLE_POLL_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long BUSY_POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long DRAIN_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long DRAIN_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
  private static final long WATCH_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
  private static final long EMPTY_CHECK_NANOS = TimeUnit.MILLISECONDS.toNanos(300);
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(2);
  private static final long LEAVE_NANOS = TimeUnit.MILLISECONDS.toNanos(1_500);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);
  private static final Duration RESTORE_TIMEOUT = Duration.ofSeconds(30);

  private final PollSettings settings;
  private final Engine engine;
  private final ReentrantLock lock;
  private final HandlerThreads threads;
  private final Clock clock;
  private final PollCounters counters;
  private final Map<String, QueueBinding> queueByTopic = new HashMap<>();
  private final Condition changed;

  // Guarded by the lock.
  private @Nullable KafkaConsumer<byte[], byte[]> consumer;
  private boolean polling;
  private boolean stopping;

  private volatile boolean joined;
  private volatile boolean untilEmpty;
  private volatile boolean gaveUp;
  private long watchedNanos;
  private long emptyCheckedNanos;

  /**
   * @param engine used only under {@code lock}
   * @param threads of which {@link #afterVisit} is told
   */
  public PollLoop(
      PollSettings settings,
      Engine engine,
      ReentrantLock lock,
      HandlerThreads threads,
      Clock clock,
      PollCounters counters) {
    this.settings = settings;
    this.engine = engine;
    this.lock = lock;
    this.threads = threads;
    this.clock = clock;
    this.counters = counters;
    this.changed = lock.newCondition();
    settings.queues().forEach(queue -> queueByTopic.put(queue.topic(), queue));
  }

  // ---- called by other threads ----

  /** To be called under the lock after the engine was told something. */
  public void afterVisit() {
    if (!engine.turnWanted()) {
      return;
    }
    KafkaConsumer<byte[], byte[]> present = consumer;
    if (polling && present != null) {
      polling = false;
      present.wakeup();
    } else {
      changed.signalAll();
    }
  }

  /** Lets the loop end: running handlers have the hand-over time, then everything is committed. */
  public void stop() {
    lock.lock();
    try {
      stopping = true;
      KafkaConsumer<byte[], byte[]> present = consumer;
      if (polling && present != null) {
        polling = false;
        present.wakeup();
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Lets the loop end by itself once everything in the topics is done and committed. */
  public void stopWhenEmpty() {
    untilEmpty = true;
  }

  /** Whether the group has given this worker its share at least once. */
  public boolean joined() {
    return joined;
  }

  /** Whether the loop ends because too many handlers never returned. */
  public boolean gaveUp() {
    return gaveUp;
  }

  // ---- the loop ----

  @Override
  public void run() {
    long backoffMillis = 100;
    while (!stopRequested()) {
      long begun = clock.nanos();
      try {
        consume();
      } catch (RuntimeException e) {
        LOG.error("{} The consumer failed and is made anew in {} ms", prefix(), backoffMillis, e);
      }
      if (clock.nanos() - begun > TimeUnit.SECONDS.toNanos(30)) {
        backoffMillis = 100;
      }
      awaitStop(backoffMillis);
      backoffMillis = Math.min(5_000, backoffMillis * 2);
    }
  }

  private void consume() {
    KafkaConsumer<byte[], byte[]> fresh = new KafkaConsumer<>(settings.consumer());
    try {
      enter(fresh);
      Commits commits = new Commits(fresh, engine, lock, threads, clock, settings, counters);
      Rebalances rebalances = new Rebalances(fresh, commits);
      fresh.subscribe(queueByTopic.keySet(), rebalances);
      try {
        while (!stopRequested()) {
          turn(fresh, commits);
        }
        handOver(allIds());
        commitBeforeLeaving(fresh, commits);
      } finally {
        removeAll();
      }
    } finally {
      enter(null);
      // Leaving the group is a courtesy: with the brokers gone it is not waited for.
      fresh.close(CloseOptions.timeout(CLOSE_TIMEOUT));
    }
  }

  /** A rebalance that is under way refuses commits: it is let finish first, if it is quick. */
  private void commitBeforeLeaving(KafkaConsumer<byte[], byte[]> kafka, Commits commits) {
    long deadline = clock.nanos() + LEAVE_NANOS;
    while (!commits.commitNow(allIds()) && clock.nanos() - deadline < 0) {
      lock.lock();
      try {
        engine.turn(clock.nanos());
        engine.plan(clock.nanos());
      } finally {
        lock.unlock();
      }
      applyPauses(kafka);
      try {
        kafka.poll(Duration.ofMillis(50));
      } catch (WakeupException e) {
        // Meant for an earlier poll.
      }
    }
  }

  private void turn(KafkaConsumer<byte[], byte[]> kafka, Commits commits) {
    long timeoutNanos = decide();
    if (timeoutNanos < 0) {
      proveMembership(commits);
      timeoutNanos = 0;
    }
    letLanesDrain(kafka, commits);
    applyPauses(kafka);
    commits.commitIfDue();
    if (untilEmpty && queueIsEmpty(kafka, commits)) {
      stop();
      return;
    }
    accept(poll(kafka, Math.min(timeoutNanos, commits.dueInNanos())));
  }

  /** Lets the engine look at the time; returns how long to poll, or -1 if it stood still. */
  private long decide() {
    lock.lock();
    try {
      long now = clock.nanos();
      lookAfter(now);
      if (threads.tooManyHung() && !stopping) {
        LOG.error(
            "{} Too many handlers never returned; this worker stops so that it can be replaced",
            prefix());
        gaveUp = true;
        stopping = true;
      }
      engine.plan(now);
      if (engine.suspended()) {
        return -1;
      }
      long next = Math.min(IDLE_POLL_NANOS, engine.nextTurnNanos(now));
      return threads.busy() > 0 ? Math.min(next, BUSY_POLL_NANOS) : next;
    } finally {
      lock.unlock();
    }
  }

  /** What time has brought, for tasks and for threads. Under the lock. */
  private void lookAfter(long now) {
    engine.turn(now);
    if (now - watchedNanos > WATCH_NANOS) {
      watchedNanos = now;
      threads.watch(now);
    }
    threads.wake(now);
  }

  /**
   * Waits with a pause while the lanes drain so fast that it would be over at once. A partition
   * that is paused is left out of the next fetch, and then waits for that of the empty ones, which
   * the broker holds back for {@code fetch.max.wait.ms}: fast handlers would run dry meanwhile.
   */
  private void letLanesDrain(KafkaConsumer<byte[], byte[]> kafka, Commits commits) {
    Set<TopicPartition> paused = kafka.paused();
    long begun = clock.nanos();
    long first = surplus(paused);
    for (long rest = first; rest > 0; rest = surplus(paused)) {
      long waited = clock.nanos() - begun;
      // At the pace so far, what is left takes longer than a pause is put off.
      boolean slow = (first - rest) * (DRAIN_NANOS_MAX - waited) < rest * waited;
      if (waited > DRAIN_NANOS_MAX || waited > DRAIN_LOOK_NANOS && slow || !awaitChange()) {
        return;
      }
      commits.commitIfDue();
      commits.lookForAcknowledgement();
    }
  }

  /** What the partitions that are fetched now would have to finish before they need no pause. */
  private long surplus(Set<TopicPartition> paused) {
    lock.lock();
    try {
      long surplus = 0;
      for (PartitionState partition : engine.partitions()) {
        long of = partition.surplus();
        if (of > 0
            && !paused.contains(new TopicPartition(partition.topic(), partition.partition()))) {
          surplus += of;
        }
      }
      return surplus;
    } finally {
      lock.unlock();
    }
  }

  /** Waits a moment, or until the engine wants a turn; false if the loop is to end. */
  private boolean awaitChange() {
    lock.lock();
    try {
      if (!engine.turnWanted()) {
        changed.awaitNanos(DRAIN_LOOK_NANOS);
      }
      long now = clock.nanos();
      lookAfter(now);
      engine.plan(now);
      return !stopping;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }

  private void applyPauses(KafkaConsumer<byte[], byte[]> kafka) {
    Set<TopicPartition> paused = kafka.paused();
    List<TopicPartition> pause = new ArrayList<>();
    List<TopicPartition> resume = new ArrayList<>();
    lock.lock();
    try {
      for (PartitionState partition : engine.partitions()) {
        TopicPartition id = new TopicPartition(partition.topic(), partition.partition());
        boolean wanted = partition.pauses().paused();
        if (wanted != paused.contains(id)) {
          (wanted ? pause : resume).add(id);
        }
      }
    } finally {
      lock.unlock();
    }
    if (!pause.isEmpty()) {
      kafka.pause(pause);
    }
    if (!resume.isEmpty()) {
      kafka.resume(resume);
    }
  }

  private ConsumerRecords<byte[], byte[]> poll(
      KafkaConsumer<byte[], byte[]> kafka, long timeoutNanos) {
    lock.lock();
    try {
      polling = !engine.turnWanted() && !stopping;
    } finally {
      lock.unlock();
    }
    // Rounded up: the consumer counts milliseconds, and a zero would spin.
    long millis = polling ? (timeoutNanos + 999_999) / 1_000_000 : 0;
    try {
      return kafka.poll(Duration.ofMillis(millis));
    } catch (WakeupException e) {
      return ConsumerRecords.empty();
    } catch (OffsetOutOfRangeException e) {
      e.offsetOutOfRangePartitions().forEach((id, offset) -> outOfRange(kafka, id, offset));
      return ConsumerRecords.empty();
    } finally {
      notPolling();
    }
  }

  private void notPolling() {
    lock.lock();
    try {
      polling = false;
    } finally {
      lock.unlock();
    }
  }

  private void accept(ConsumerRecords<byte[], byte[]> records) {
    if (records.isEmpty()) {
      return;
    }
    List<RecordRun> runs = new ArrayList<>(records.count());
    for (TopicPartition id : records.partitions()) {
      QueueBinding queue = queueByTopic.get(id.topic());
      PartitionState partition = partitionOf(id);
      if (queue == null || partition == null) {
        throw new IllegalStateException("Records of " + id + " came, which is not assigned");
      }
      for (ConsumerRecord<byte[], byte[]> record : records.records(id)) {
        runs.add(new RecordRun(record, partition, queue, queue.handlerOf(record)));
      }
    }
    lock.lock();
    try {
      for (RecordRun run : runs) {
        if (run.partition().ledger().wasDone(run.offset())) {
          run.partition().ledger().seenUpTo(run.offset() + 1);
        } else {
          engine.accept(run);
        }
      }
      threads.wake(clock.nanos());
    } finally {
      lock.unlock();
    }
  }

  private @Nullable PartitionState partitionOf(TopicPartition id) {
    lock.lock();
    try {
      return engine.partition(new PartitionId(id.topic(), id.partition()));
    } finally {
      lock.unlock();
    }
  }

  // ---- what can go wrong ----

  private void outOfRange(KafkaConsumer<byte[], byte[]> kafka, TopicPartition id, long offset) {
    long first = kafka.beginningOffsets(Set.of(id), REQUEST_TIMEOUT).getOrDefault(id, 0L);
    PartitionState partition = partitionOf(id);
    if (offset < first) {
      counters.lostByRetention(first - offset);
      LOG.error(
          "{} LOST_BY_RETENTION: offsets {} to {} of {} were deleted before they were worked. Raise"
              + " retention.ms or retention.bytes of the topic, or drain its backlog sooner.",
          prefix(),
          offset,
          first - 1,
          id);
      if (partition != null) {
        lock.lock();
        try {
          partition.ledger().seenUpTo(first);
        } finally {
          lock.unlock();
        }
      }
      kafka.seek(id, first);
    } else {
      LOG.error(
          "{} {} ends before the position {}: the log was truncated or the topic was created anew."
              + " Its tasks are worked from offset {} on, some of them perhaps again; none is"
              + " jumped over.",
          prefix(),
          id,
          offset,
          first);
      startAnew(id, first);
      kafka.seek(id, first);
    }
  }

  /**
   * Ends the assignment and begins another one at that offset: what was known of the log is void.
   */
  private void startAnew(TopicPartition id, long position) {
    QueueBinding queue = Objects.requireNonNull(queueByTopic.get(id.topic()));
    lock.lock();
    try {
      threads.takeBackAll(clock.nanos());
      engine.removed(new PartitionId(id.topic(), id.partition()));
      threads.cancel(run -> run.stale(), true);
      engine.assigned(assignment(queue, id, position, -1, DoneRanges.NONE));
    } finally {
      lock.unlock();
    }
  }

  private Assignment assignment(
      QueueBinding queue, TopicPartition id, long position, long committed, DoneRanges done) {
    return new Assignment(
        queue.state(),
        id.topic(),
        id.partition(),
        position,
        committed,
        done,
        queue.laneCapacity(),
        settings.pollRecordsMax(),
        queue.uncommittedMax());
  }

  /** After the process stood still, nothing starts before the group has confirmed its member. */
  private void proveMembership(Commits commits) {
    LOG.warn(
        "{} The process stood still; nothing is started until the group has confirmed this member",
        prefix());
    if (commits.commitNow(allIds())) {
      lock.lock();
      try {
        engine.resume();
        threads.wake(clock.nanos());
      } finally {
        lock.unlock();
      }
    }
  }

  private boolean queueIsEmpty(KafkaConsumer<byte[], byte[]> kafka, Commits commits) {
    long now = clock.nanos();
    if (!joined || now - emptyCheckedNanos < EMPTY_CHECK_NANOS) {
      return false;
    }
    lock.lock();
    try {
      for (PartitionState partition : engine.partitions()) {
        if (partition.ledger().undone() > 0) {
          return false;
        }
      }
    } finally {
      lock.unlock();
    }
    emptyCheckedNanos = now;
    try {
      if (!commits.commitNow(allIds())) {
        return false;
      }
      Set<TopicPartition> all = new HashSet<>();
      for (String topic : queueByTopic.keySet()) {
        kafka
            .partitionsFor(topic, REQUEST_TIMEOUT)
            .forEach(info -> all.add(new TopicPartition(topic, info.partition())));
      }
      Map<TopicPartition, Long> ends = kafka.endOffsets(all, REQUEST_TIMEOUT);
      Map<TopicPartition, OffsetAndMetadata> done = kafka.committed(all, REQUEST_TIMEOUT);
      for (Map.Entry<TopicPartition, Long> end : ends.entrySet()) {
        OffsetAndMetadata committed = done.get(end.getKey());
        if (end.getValue() > 0 && (committed == null || committed.offset() < end.getValue())) {
          return false;
        }
      }
      return true;
    } catch (TimeoutException | WakeupException e) {
      return false;
    }
  }

  // ---- hand-over ----

  /** Tells the handlers of these partitions to stop, and waits for them at most the set time. */
  private void handOver(Collection<PartitionId> ids) {
    long deadline = clock.nanos() + settings.handover().toNanos();
    lock.lock();
    try {
      polling = false;
      engine.drain(ids);
      threads.takeBackAll(clock.nanos());
      threads.cancel(run -> ids.contains(idOf(run.partition())), false);
      if (!awaitQuiet(ids, deadline)) {
        LOG.warn("{} Handlers outlived the hand-over time and are interrupted: {}", prefix(), ids);
        threads.cancel(run -> ids.contains(idOf(run.partition())), true);
        awaitQuiet(ids, clock.nanos() + TimeUnit.MILLISECONDS.toNanos(500));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /** Waits under the lock, while the partitions that stay go on. */
  private boolean awaitQuiet(Collection<PartitionId> ids, long deadline)
      throws InterruptedException {
    while (!engine.quiet(ids)) {
      long now = clock.nanos();
      if (deadline - now <= 0) {
        return false;
      }
      lookAfter(now);
      changed.awaitNanos(Math.min(deadline - now, TimeUnit.MILLISECONDS.toNanos(10)));
    }
    return true;
  }

  private void removeAll() {
    lock.lock();
    try {
      threads.takeBackAll(clock.nanos());
      for (PartitionId id : allIds()) {
        engine.removed(id);
      }
      threads.cancel(run -> run.stale(), true);
    } finally {
      lock.unlock();
    }
  }

  private List<PartitionId> allIds() {
    lock.lock();
    try {
      return engine.partitions().stream().map(PollLoop::idOf).toList();
    } finally {
      lock.unlock();
    }
  }

  private static PartitionId idOf(PartitionState partition) {
    return new PartitionId(partition.topic(), partition.partition());
  }

  private void enter(@Nullable KafkaConsumer<byte[], byte[]> kafka) {
    lock.lock();
    try {
      consumer = kafka;
      polling = false;
    } finally {
      lock.unlock();
    }
  }

  private boolean stopRequested() {
    lock.lock();
    try {
      return stopping;
    } finally {
      lock.unlock();
    }
  }

  private void awaitStop(long millis) {
    lock.lock();
    try {
      long rest = TimeUnit.MILLISECONDS.toNanos(millis);
      while (!stopping && rest > 0) {
        engine.turn(clock.nanos());
        rest = changed.awaitNanos(rest);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      stopping = true;
    } finally {
      lock.unlock();
    }
  }

  private String prefix() {
    return "[worker=" + settings.worker() + " group=" + settings.group() + "]";
  }

  /** What the group takes and gives. Called by the consumer inside a poll, on this thread. */
  private final class Rebalances implements ConsumerRebalanceListener {
    private final KafkaConsumer<byte[], byte[]> kafka;
    private final Commits commits;

    Rebalances(KafkaConsumer<byte[], byte[]> kafka, Commits commits) {
      this.kafka = kafka;
      this.commits = commits;
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
      if (revoked.isEmpty()) {
        return;
      }
      counters.rebalanced();
      notPolling();
      List<PartitionId> ids = ids(revoked);
      LOG.info("{} Handing over {}", prefix(), ids);
      handOver(ids);
      commits.commitNow(ids);
      remove(ids);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> lost) {
      if (lost.isEmpty()) {
        return;
      }
      counters.rebalanced();
      List<PartitionId> ids = ids(lost);
      LOG.warn("{} Lost {}: what runs of them is told to stop and no longer counts", prefix(), ids);
      remove(ids);
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
      notPolling();
      if (!assigned.isEmpty()) {
        LOG.info("{} Assigned {}", prefix(), ids(assigned));
        Map<TopicPartition, Optional<OffsetAndMetadata>> committed = commits.committed(assigned);
        Map<TopicPartition, Long> first = firstOffsets(committed);
        // All are positioned before any is asked for: a partition without a position is an error.
        committed.forEach((id, offset) -> restore(id, offset, first.getOrDefault(id, 0L)));
      }
      joined = true;
      lock.lock();
      try {
        engine.turn(clock.nanos());
        engine.resume();
      } finally {
        lock.unlock();
      }
    }

    /** A group that has committed nothing begins with the oldest task: none may be jumped over. */
    private Map<TopicPartition, Long> firstOffsets(
        Map<TopicPartition, Optional<OffsetAndMetadata>> committed) {
      List<TopicPartition> fresh = new ArrayList<>();
      committed.forEach(
          (id, offset) -> {
            if (offset.isEmpty()) {
              fresh.add(id);
            }
          });
      return fresh.isEmpty() ? Map.of() : kafka.beginningOffsets(fresh, RESTORE_TIMEOUT);
    }

    private void restore(TopicPartition id, Optional<OffsetAndMetadata> committed, long first) {
      long position = first;
      DoneRanges done = DoneRanges.NONE;
      if (committed.isPresent()) {
        position = committed.get().offset();
        Optional<DoneRanges> ranges = LedgerCodec.decode(position, committed.get().metadata());
        if (ranges.isEmpty()) {
          LOG.warn(
              "{} The commit metadata of {} at offset {} is damaged or not Sluice's; what was done"
                  + " above that offset runs again",
              prefix(),
              id,
              position);
        }
        done = ranges.orElse(DoneRanges.NONE);
      }
      kafka.seek(id, position);
      QueueBinding queue = queueByTopic.get(id.topic());
      if (queue == null) {
        throw new IllegalStateException(id + " was assigned, but no queue has that topic");
      }
      lock.lock();
      try {
        engine.assigned(
            assignment(queue, id, position, committed.isPresent() ? position : -1, done));
      } finally {
        lock.unlock();
      }
    }

    private void remove(List<PartitionId> ids) {
      lock.lock();
      try {
        threads.takeBackAll(clock.nanos());
        ids.forEach(engine::removed);
        threads.cancel(run -> run.stale(), true);
      } finally {
        lock.unlock();
      }
    }

    private static List<PartitionId> ids(Collection<TopicPartition> partitions) {
      return partitions.stream()
          .map(id -> new PartitionId(id.topic(), id.partition()))
          .sorted(Comparator.comparing(PartitionId::topic).thenComparing(PartitionId::partition))
          .toList();
    }
  }
}
