// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.flow.ledger.DoneRanges;
import dev.sluice.flow.ledger.LedgerCodec;
import dev.sluice.flow.ledger.LedgerReference;
import dev.sluice.worker.engine.Assignment;
import dev.sluice.worker.engine.PartitionId;
import dev.sluice.worker.engine.PartitionState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the group takes and gives: partitions begin where the last owner's commit says, and end
 * after a hand-over. Used on the poll thread only, by the consumer inside a poll and by the loop.
 */
final class Ownership implements ConsumerRebalanceListener {
  private static final Logger LOG = LoggerFactory.getLogger(Ownership.class);
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration RESTORE_TIMEOUT = Duration.ofSeconds(30);

  /** The group waits meanwhile; to give partitions back uncommitted would run tasks again. */
  private static final Duration REVOKED_COMMIT = Duration.ofSeconds(5);

  private static final long INTERRUPTED_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final KafkaConsumer<byte[], byte[]> kafka;
  private final LoopState state;
  private final Commits commits;
  private final Duplicates duplicates;
  private final Rereads rereads;
  private final Runnable joined;

  /**
   * @param joined told each time that the group has given this worker its share
   */
  Ownership(
      KafkaConsumer<byte[], byte[]> kafka,
      LoopState state,
      Commits commits,
      Duplicates duplicates,
      Rereads rereads,
      Runnable joined) {
    this.duplicates = duplicates;
    this.rereads = rereads;
    this.kafka = kafka;
    this.state = state;
    this.commits = commits;
    this.joined = joined;
  }

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
    if (revoked.isEmpty()) {
      return;
    }
    state.counters.rebalanced();
    state.endPoll();
    List<PartitionId> ids = ids(revoked);
    LOG.info("{} Handing over {}", state.prefix(), ids);
    handOver(ids);
    if (!commits.commitNow(ids, REVOKED_COMMIT)) {
      commits.warnOfUncommitted(ids);
    }
    remove(ids);
  }

  @Override
  public void onPartitionsLost(Collection<TopicPartition> lost) {
    if (lost.isEmpty()) {
      return;
    }
    state.counters.rebalanced();
    List<PartitionId> ids = ids(lost);
    LOG.warn(
        "{} Lost {}: what runs of them is told to stop and no longer counts", state.prefix(), ids);
    remove(ids);
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
    state.endPoll();
    if (!assigned.isEmpty()) {
      LOG.info("{} Assigned {}", state.prefix(), ids(assigned));
      Map<TopicPartition, Optional<OffsetAndMetadata>> committed = commits.committed(assigned);
      Map<TopicPartition, Long> first = firstOffsets(committed);
      Map<TopicPartition, Long> positions = new HashMap<>(first);
      committed.forEach((id, offset) -> offset.ifPresent(o -> positions.put(id, o.offset())));
      // All are positioned before any is asked for: a partition without a position is an error.
      positions.forEach(kafka::seek);
      duplicates.begin(positions).forEach(kafka::seek);
      committed.forEach((id, offset) -> restore(id, offset, positions.getOrDefault(id, 0L)));
    }
    joined.run();
    state.lock.lock();
    try {
      state.engine.turn(state.clock.nanos());
      // The answer may have come at any time since the poll before this one.
      state.engine.proven(state.polledBeforeNanos());
    } finally {
      state.lock.unlock();
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
      String metadata = committed.get().metadata();
      Optional<LedgerReference> elsewhere = LedgerReference.of(position, metadata);
      Optional<DoneRanges> ranges = LedgerCodec.decode(position, metadata);
      if (elsewhere.isPresent()) {
        ranges = state.settings.overflow().read(id, position, elsewhere.get());
      }
      if (ranges.isEmpty()) {
        LOG.warn(
            "{} The commit metadata of {} at offset {} is damaged or not Sluice's; what was done"
                + " above that offset runs again",
            state.prefix(),
            id,
            position);
      }
      done = ranges.orElse(DoneRanges.NONE);
    }
    QueueBinding queue = state.queue(id.topic());
    if (queue == null) {
      throw new IllegalStateException(id + " was assigned, but no queue has that topic");
    }
    state.lock.lock();
    try {
      state.engine.assigned(
          assignment(queue, id, position, committed.isPresent() ? position : -1, done));
    } finally {
      state.lock.unlock();
    }
  }

  private void remove(List<PartitionId> ids) {
    state.lock.lock();
    try {
      state.threads.takeBackAll(state.clock.nanos());
      ids.forEach(state.engine::removed);
      for (PartitionId id : ids) {
        TopicPartition of = new TopicPartition(id.topic(), id.partition());
        duplicates.end(of);
        rereads.end(of);
      }
      state.threads.cancel(run -> run.stale(), true);
    } finally {
      state.lock.unlock();
    }
  }

  private static List<PartitionId> ids(Collection<TopicPartition> partitions) {
    return partitions.stream()
        .map(LoopState::idOf)
        .sorted(Comparator.comparing(PartitionId::topic).thenComparing(PartitionId::partition))
        .toList();
  }

  // ---- hand-over ----

  /** Tells the handlers of these partitions to stop, and waits for them at most the set time. */
  private void handOver(Collection<PartitionId> ids) {
    long deadline = state.clock.nanos() + state.settings.handover().toNanos();
    state.lock.lock();
    try {
      state.engine.drain(ids);
      // What waits for room does not outlive its place: it would have to run again elsewhere.
      state.settings.queues().forEach(queue -> queue.room().look());
      state.threads.takeBackAll(state.clock.nanos());
      state.threads.cancel(run -> ids.contains(LoopState.idOf(run.assignment())), false);
      if (!awaitQuiet(ids, deadline)) {
        LOG.warn(
            "{} Handlers outlived the hand-over time and are interrupted: {}", state.prefix(), ids);
        state.threads.cancel(run -> ids.contains(LoopState.idOf(run.assignment())), true);
        awaitQuiet(ids, state.clock.nanos() + INTERRUPTED_NANOS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      state.lock.unlock();
    }
  }

  /** Waits under the lock, while the partitions that stay go on. */
  private boolean awaitQuiet(Collection<PartitionId> ids, long deadline)
      throws InterruptedException {
    while (!state.engine.quiet(ids)) {
      long now = state.clock.nanos();
      if (deadline - now <= 0) {
        return false;
      }
      state.lookAfter(now);
      state.awaitChange(Math.min(deadline - now, LOOK_NANOS));
    }
    return true;
  }

  /** The worker stops: nothing is started any more, and what runs has the hand-over time. */
  void handOverAll() {
    state.lock.lock();
    try {
      state.engine.drainAll();
    } finally {
      state.lock.unlock();
    }
    handOver(state.allIds());
  }

  /** Ends all assignments. */
  void removeAll() {
    remove(state.allIds());
  }

  // ---- logs that are not what they were ----

  /** A position is not in the log: tasks were deleted unworked, or it is another log now. */
  void outOfRange(TopicPartition id, long offset) {
    long first = kafka.beginningOffsets(Set.of(id), REQUEST_TIMEOUT).getOrDefault(id, 0L);
    PartitionState partition = state.partition(id);
    if (offset < first && first <= duplicates.position(id)) {
      kafka.seek(id, first); // it was read only to know what came before, and all of it was worked
    } else if (offset < first && partition != null && rereads.watches(id)) {
      rereads.outOfRange(id, partition, first);
    } else if (offset < first) {
      state.counters.lostByRetention(first - offset);
      LOG.error(
          "{} LOST_BY_RETENTION: offsets {} to {} of {} were deleted before they were worked. Raise"
              + " retention.ms or retention.bytes of the topic, or drain its backlog sooner.",
          state.prefix(),
          offset,
          first - 1,
          id);
      if (partition != null) {
        state.lock.lock();
        try {
          state.engine.seenUpTo(partition, first);
        } finally {
          state.lock.unlock();
        }
      }
      kafka.seek(id, first);
    } else {
      LOG.error(
          "{} {} ends before the position {}: the log was truncated or the topic was created anew."
              + " Its tasks are worked from offset {} on, some of them perhaps again; none is"
              + " jumped over.",
          state.prefix(),
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
    QueueBinding queue = Objects.requireNonNull(state.queue(id.topic()));
    state.lock.lock();
    try {
      state.threads.takeBackAll(state.clock.nanos());
      state.engine.removed(LoopState.idOf(id));
      duplicates.end(id);
      rereads.end(id);
      state.threads.cancel(run -> run.stale(), true);
      state.engine.assigned(assignment(queue, id, position, -1, DoneRanges.NONE));
    } finally {
      state.lock.unlock();
    }
  }

  private Assignment assignment(
      QueueBinding queue, TopicPartition id, long position, long committed, DoneRanges done) {
    return new Assignment(
        queue.state(),
        id.topic(),
        id.partition(),
        queue.levelOf(id.topic()),
        position,
        committed,
        done,
        queue.laneCapacity(),
        queue.shelfCapacity(),
        state.settings.pollRecordsMax(),
        queue.uncommittedMax());
  }
}
