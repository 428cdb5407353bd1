// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.flow.ledger.LedgerSnapshot;
import dev.sluice.flow.pause.PauseReason;
import dev.sluice.worker.engine.PartitionId;
import dev.sluice.worker.engine.PartitionState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commits ledgers. Used on the poll thread only. A commit counts when the broker has acknowledged
 * it; one is under way at a time.
 */
final class Commits {
  private static final Logger LOG = LoggerFactory.getLogger(Commits.class);
  private static final Duration SYNC_TIMEOUT = Duration.ofSeconds(1);
  private static final int WAKEUPS_MAX = 3;
  private static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(2);
  private static final long RESTORE_NANOS_MAX = TimeUnit.SECONDS.toNanos(30);

  /** How often a commit's acknowledgement is looked for when the next one is worth it. */
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(3);

  private static final long URGENT_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** Fast handlers are committed this often, so that a crash has little of theirs run again. */
  private static final long EARLY_NANOS = TimeUnit.MILLISECONDS.toNanos(8);

  /** Progress that does not fit is written elsewhere no more often, unless much waits for it. */
  private static final long OVERFLOW_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final long MARKERS_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long OVERDUE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final KafkaConsumer<byte[], byte[]> kafka;
  private final LoopState state;
  private final @Nullable TransactionalEffects transactions;
  private final long intervalNanos;
  private int metadataBytesMax;
  private @Nullable Class<?> lastFailure;
  private final Map<PartitionState, Long> overflowNanos = new HashMap<>();
  private boolean underWay;
  private boolean tried;
  private boolean rebalancing;
  private long rebalancingNanos;
  private boolean joining;
  private long lastNanos;
  private long markersNanos;

  Commits(
      KafkaConsumer<byte[], byte[]> kafka,
      LoopState state,
      @Nullable TransactionalEffects transactions) {
    this.transactions = transactions;
    this.kafka = kafka;
    this.state = state;
    this.intervalNanos = state.settings.commitInterval().toNanos();
    this.metadataBytesMax = state.settings.metadataBytesMax();
    this.lastNanos = state.clock.nanos();
  }

  private void setUnderWay(boolean now) {
    underWay = now;
    state.lock.lock();
    try {
      state.engine.commitUnderWay(now, state.clock.nanos());
    } finally {
      state.lock.unlock();
    }
  }

  /**
   * Whether the acknowledgement of a commit, which is noticed in polls only, is waited for because
   * the next one is to follow soon.
   */
  boolean awaited() {
    if (!underWay) {
      return false;
    }
    state.lock.lock();
    try {
      return state.engine.commitsFollow() || state.engine.commitHolds(state.clock.nanos());
    } finally {
      state.lock.unlock();
    }
  }

  /** After how many nanoseconds the next commit is due; MAX_VALUE if there is nothing to commit. */
  long dueInNanos() {
    state.lock.lock();
    try {
      boolean held = state.engine.commitHolds(state.clock.nanos());
      if (underWay) {
        // The new consumer calls back only between polls: a long one would hold full ledgers up,
        // and the next commit of fast handlers.
        if (state.engine.commitSoon() || held) {
          return URGENT_NANOS;
        }
        return state.engine.worthCommitting() ? LOOK_NANOS : Long.MAX_VALUE;
      }
      long interval =
          state.engine.worthCommitting() ? Math.min(EARLY_NANOS, intervalNanos) : intervalNanos;
      if (held) {
        interval = 0;
      }
      for (PartitionState partition : state.engine.live()) {
        if (partition.ledger().hasNews() && !partition.transactional()) {
          return Math.max(0, lastNanos + interval - state.clock.nanos());
        }
      }
      // Handlers may finish something any moment, and would not wake the poll for it.
      return state.threads.busy() > 0 ? intervalNanos : Long.MAX_VALUE;
    } finally {
      state.lock.unlock();
    }
  }

  /**
   * Sends what is done, if the interval is over or too much waits. Does not block. To be called
   * between two polls, when all that was polled has been accepted.
   */
  void commitIfDue() {
    if (!underWay && state.clock.nanos() - markersNanos > MARKERS_NANOS) {
      skipMarkers();
    }
    commitWhileAccepting();
  }

  /** The same where not all that was polled has been accepted yet. */
  void commitWhileAccepting() {
    long now = state.clock.nanos();
    if (underWay) {
      if (now - lastNanos < OVERDUE_NANOS) {
        return;
      }
      setUnderWay(false); // its callback was lost with a coordinator; a newer commit replaces it
    }
    Map<PartitionState, LedgerSnapshot> news;
    boolean first;
    state.lock.lock();
    try {
      first = !tried && !state.engine.partitions().isEmpty();
      boolean early =
          now - lastNanos >= EARLY_NANOS && state.engine.worthCommitting()
              || state.engine.commitHolds(now);
      if (now - lastNanos < intervalNanos && !early && !first && !state.engine.commitSoon()) {
        return;
      }
      if (!first) {
        state.engine.commitPace(now - lastNanos, intervalNanos);
      }
      news = state.engine.snapshots(state.engine.live(), metadataBytesMax);
    } finally {
      state.lock.unlock();
    }
    lastNanos = now;
    // The first commit takes a tenth of a second, for what it loads and compiles; fast handlers
    // would have ended thousands of tasks meanwhile.
    tried |= first;
    overflow(news, now);
    if (news.isEmpty()) {
      putAgain(news, now, first);
    }
    if (news.isEmpty()) {
      return;
    }
    setUnderWay(true);
    kafka.commitAsync(
        offsets(news),
        (offsets, failure) -> {
          setUnderWay(false);
          if (failure == null) {
            acknowledged(news, now);
          } else {
            failed(failure);
          }
        });
  }

  /**
   * Where nothing was done for a while, what was committed is committed again, of one partition:
   * the answer proves the membership that tasks to come are started by.
   *
   * @param anyway whether to do so though nothing has to be proven
   */
  private void putAgain(Map<PartitionState, LedgerSnapshot> news, long now, boolean anyway) {
    TransactionalEffects writer = transactions;
    state.lock.lock();
    try {
      if (!anyway && !state.engine.wantsProof(now)) {
        return;
      }
      for (PartitionState partition : state.engine.partitions()) {
        if (partition.transactional()) {
          continue;
        }
        LedgerSnapshot again = partition.ledger().snapshot(metadataBytesMax);
        if (again.complete() || partition.ledger().keeps(again)) {
          news.put(partition, again);
          return;
        }
      }
    } finally {
      state.lock.unlock();
    }
    if (writer != null && !anyway) {
      writer.commitSoon();
    }
  }

  private void rebalancing(boolean now) {
    if (now && !rebalancing) {
      rebalancingNanos = state.clock.nanos();
    }
    rebalancing = now;
  }

  /** For how long commits have been refused because of one rebalance or several in a row. */
  long rebalancingNanos() {
    return rebalancing ? state.clock.nanos() - rebalancingNanos : 0;
  }

  /**
   * What does not fit into the metadata is written elsewhere first, and committed in one of the
   * next turns; until then the last commit of its partition covers more than another would.
   */
  private void overflow(Map<PartitionState, LedgerSnapshot> news, long now) {
    LedgerOverflow elsewhere = state.settings.overflow();
    for (PartitionState partition : List.copyOf(news.keySet())) {
      LedgerSnapshot cut = news.get(partition);
      if (cut == null || cut.complete()) {
        continue;
      }
      if (!elsewhere.works()) {
        keepUnlessLess(news, partition, cut);
        continue;
      }
      LedgerSnapshot written = elsewhere.take(partition);
      if (written == null) {
        news.remove(partition);
      } else {
        keepUnlessLess(news, partition, written);
      }
      boolean due =
          now - overflowNanos.getOrDefault(partition, now - OVERFLOW_NANOS) >= OVERFLOW_NANOS;
      if (elsewhere.idle(partition) && (due || partition.commitIsUrgent())) {
        overflowNanos.keySet().removeIf(PartitionState::gone);
        overflowNanos.put(partition, now);
        elsewhere.write(partition, full(partition));
      }
    }
  }

  /** The same before partitions are given back: now, or not at all. */
  private void overflowNow(Map<PartitionState, LedgerSnapshot> all) {
    LedgerOverflow elsewhere = state.settings.overflow();
    Map<PartitionState, LedgerSnapshot> cut = new HashMap<>(all);
    cut.values().removeIf(LedgerSnapshot::complete);
    boolean works = elsewhere.works();
    if (works) {
      cut.keySet().forEach(partition -> elsewhere.write(partition, full(partition)));
    }
    // One wait for all of them: the group waits for this worker meanwhile.
    long deadline = state.clock.nanos() + SYNC_TIMEOUT.toNanos();
    cut.forEach(
        (partition, snapshot) -> {
          LedgerSnapshot written =
              works ? elsewhere.await(partition, deadline - state.clock.nanos()) : null;
          keepUnlessLess(all, partition, written == null ? snapshot : written);
        });
  }

  private LedgerSnapshot full(PartitionState partition) {
    state.lock.lock();
    try {
      return partition.ledger().snapshot(LedgerOverflow.BYTES_MAX);
    } finally {
      state.lock.unlock();
    }
  }

  private void keepUnlessLess(
      Map<PartitionState, LedgerSnapshot> news, PartitionState partition, LedgerSnapshot snapshot) {
    boolean keeps;
    state.lock.lock();
    try {
      keeps = partition.ledger().keeps(snapshot);
    } finally {
      state.lock.unlock();
    }
    if (keeps) {
      news.put(partition, snapshot);
    } else {
      news.remove(partition);
    }
  }

  /**
   * Lets the consumer call back for a commit that was acknowledged meanwhile. It does so in its
   * polls, and at the beginning of each commit: one of nothing is such an opportunity.
   */
  void lookForAcknowledgement() {
    if (underWay) {
      kafka.commitAsync(Map.of(), null);
    }
  }

  /**
   * Commits these partitions and waits for the acknowledgement.
   *
   * @return whether the group's coordinator confirmed this member by it
   */
  boolean commitNow(Collection<PartitionId> ids) {
    return commitNow(ids, Duration.ZERO);
  }

  /**
   * The same, tried again for as long while the brokers are silent and no stop is asked for. What
   * is not committed before its partition is given back runs again.
   */
  boolean commitNow(Collection<PartitionId> ids, Duration patience) {
    joining = false;
    Map<PartitionState, LedgerSnapshot> all = toCommit(ids);
    TransactionalEffects writer = transactions;
    if (writer != null && writer.has(ids)) {
      writer.member(kafka.groupMetadata());
      if (!writer.commitNow(TRANSACTION_TIMEOUT)) {
        rebalancing(true); // whatever it is: a producer does not say whether its member is joining
        return false;
      }
    }
    overflowNow(all);
    if (all.isEmpty()) {
      rebalancing(false);
      return true;
    }
    long deadline = state.clock.nanos() + patience.toNanos();
    int wakeups = 0;
    while (wakeups < WAKEUPS_MAX) {
      long sent = state.clock.nanos();
      try {
        kafka.commitSync(offsets(all), SYNC_TIMEOUT);
        acknowledged(all, sent);
        return true;
      } catch (WakeupException e) {
        wakeups++; // meant for the poll: it is used up now
      } catch (RetriableException e) {
        failed(e);
        if (state.stopRequested() || deadline - state.clock.nanos() <= 0) {
          return false; // a stop has a bound of its own, silent brokers included
        }
      } catch (KafkaException e) {
        joining = e instanceof RebalanceInProgressException;
        failed(e);
        return false;
      }
    }
    return false;
  }

  /** Whether the last commit that was waited for was not sent because this member is joining. */
  boolean refusedWhileJoining() {
    return joining;
  }

  /**
   * Commits these partitions in a transaction, which the coordinator takes from a member whose
   * group waits for another one; a consumer that is joining does not even ask it. It is fenced as
   * any commit is, by member and generation.
   *
   * @return whether it is committed
   */
  boolean commitWhileJoining(Collection<PartitionId> ids) {
    Map<PartitionState, LedgerSnapshot> all = toCommit(ids);
    if (all.isEmpty()) {
      return true;
    }
    overflowNow(all);
    long sent = state.clock.nanos();
    if (!LastCommit.inTransaction(
        state.settings, state.producer, offsets(all), kafka.groupMetadata())) {
      return false;
    }
    acknowledged(all, sent);
    return true;
  }

  private Map<PartitionState, LedgerSnapshot> toCommit(Collection<PartitionId> ids) {
    Map<PartitionState, LedgerSnapshot> all = new HashMap<>();
    skipMarkers();
    state.lock.lock();
    try {
      for (PartitionId id : ids) {
        PartitionState partition = state.engine.partition(id);
        if (partition != null && !partition.transactional()) {
          all.put(partition, partition.ledger().snapshot(metadataBytesMax));
        }
      }
    } finally {
      state.lock.unlock();
    }
    return all;
  }

  /** Says how many tasks of partitions that are given back run again. */
  void warnOfUncommitted(Collection<PartitionId> ids) {
    long count = 0;
    state.lock.lock();
    try {
      for (PartitionId id : ids) {
        PartitionState partition = state.engine.partition(id);
        count += partition == null ? 0 : partition.ledger().uncommitted();
      }
    } finally {
      state.lock.unlock();
    }
    if (count > 0) {
      LOG.warn(
          "{} {} tasks that have ended could not be committed before their partitions were given"
              + " back: they run again",
          state.prefix(),
          count);
    }
  }

  /** What the group has committed of these partitions; tried again while brokers do not answer. */
  Map<TopicPartition, Optional<OffsetAndMetadata>> committed(Collection<TopicPartition> of) {
    long deadline = state.clock.nanos() + RESTORE_NANOS_MAX;
    while (true) {
      try {
        Map<TopicPartition, OffsetAndMetadata> found =
            kafka.committed(new HashSet<>(of), SYNC_TIMEOUT);
        Map<TopicPartition, Optional<OffsetAndMetadata>> result = new HashMap<>();
        for (TopicPartition id : of) {
          result.put(id, Optional.ofNullable(found.get(id)));
        }
        return result;
      } catch (RetriableException | WakeupException e) {
        if (deadline - state.clock.nanos() <= 0) {
          throw e;
        }
      }
    }
  }

  /** Transaction markers at the end of an empty lane are done, too: the lag is then truly zero. */
  private void skipMarkers() {
    markersNanos = state.clock.nanos();
    List<PartitionState> empty = new ArrayList<>();
    state.lock.lock();
    try {
      for (PartitionState partition : state.engine.partitions()) {
        if (partition.ledger().undone() == 0) {
          empty.add(partition);
        }
      }
    } finally {
      state.lock.unlock();
    }
    for (PartitionState partition : empty) {
      TopicPartition id = new TopicPartition(partition.topic(), partition.partition());
      try {
        // What was polled was accepted: this runs on the same thread.
        long position = kafka.position(id, Duration.ZERO);
        state.lock.lock();
        try {
          state.engine.seenUpTo(partition, position);
        } finally {
          state.lock.unlock();
        }
      } catch (KafkaException | IllegalStateException e) {
        LOG.debug("The position of {} is not known now", id, e);
      }
    }
  }

  private void acknowledged(Map<PartitionState, LedgerSnapshot> news, long sentNanos) {
    lastFailure = null;
    rebalancing = false;
    state.counters.committed();
    state.lock.lock();
    try {
      state.engine.proven(sentNanos);
      state.engine.acknowledged(news);
      state.threads.wake(state.clock.nanos());
      for (PartitionState partition : news.keySet()) {
        if (partition.pauses().has(PauseReason.LEDGER_FULL)) {
          kafka.wakeup(); // its pause may be over: let the loop look at once
          break;
        }
      }
    } finally {
      state.lock.unlock();
    }
  }

  private void failed(Exception failure) {
    state.counters.commitFailed();
    rebalancing(failure instanceof RebalanceInProgressException);
    if (failure instanceof CommitFailedException) {
      state.refused();
    }
    if (failure instanceof OffsetMetadataTooLarge) {
      metadataBytesMax /= 2;
      LOG.warn(
          "The brokers accept less commit metadata (offset.metadata.max.bytes) than assumed; trying"
              + " with {} bytes",
          metadataBytesMax);
      return;
    }
    if (!failure.getClass().equals(lastFailure)) { // a rebalance refuses each commit while it lasts
      lastFailure = failure.getClass();
      LOG.info(
          "A commit failed and is tried again with what is done by then: {}", failure.toString());
    }
  }

  private static Map<TopicPartition, OffsetAndMetadata> offsets(
      Map<PartitionState, LedgerSnapshot> snapshots) {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    snapshots.forEach(
        (partition, snapshot) ->
            offsets.put(
                new TopicPartition(partition.topic(), partition.partition()),
                new OffsetAndMetadata(snapshot.position(), snapshot.metadata())));
    return offsets;
  }
}
