// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.SluiceException;
import dev.sluice.worker.engine.PartitionState;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.CloseOptions;
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
  private static final long EMPTY_CHECK_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

  /** So many tasks are handed to the engine at once: handlers begin with them meanwhile. */
  private static final int ACCEPT_MAX = 256;

  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(2);
  private static final long LEAVE_NANOS = TimeUnit.MILLISECONDS.toNanos(1_500);

  /** While it is refused for a rebalance, the last commit is tried so long after a stop. */
  private static final long LEAVE_REBALANCING_NANOS = TimeUnit.MILLISECONDS.toNanos(2_500);

  private static final long LEAVE_BESIDE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);

  private static final long PAUSED_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  /** How often it is tried to prove membership while nothing may be started. */
  private static final long PROVE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /** After a poll that brought fewer tasks than these the next one is taken a little later. */
  private static final int FEW = 64;

  private static final long APART_NANOS = TimeUnit.MICROSECONDS.toNanos(350);

  /** So many tasks are worth putting a poll off by that. */
  private static final int WORTH_WAITING_FOR = 4;

  private static final long GAP_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(10);

  private final LoopState state;
  private final boolean isKip848;
  private final Consumer<RecordRun> toldDuplicate;
  private final @Nullable TransactionalEffects transactions;
  private volatile boolean joined;
  private volatile boolean untilEmpty;
  private volatile boolean gaveUp;
  private long emptyCheckedNanos;
  private long nextPollNanos;
  private long broughtNanos;

  /** The time from one task to the next: a moving average. */
  private long gapNanos = GAP_NANOS_MAX;

  private boolean suspended;

  /**
   * @param toldDuplicate told of each record that is the second one of a task, without the lock
   * @param transactions commits the progress of transactional queues; null if there are none
   */
  PollLoop(
      LoopState state,
      Consumer<RecordRun> toldDuplicate,
      @Nullable TransactionalEffects transactions) {
    this.toldDuplicate = toldDuplicate;
    this.state = state;
    this.nextPollNanos = state.clock.nanos();
    this.broughtNanos = nextPollNanos;
    this.transactions = transactions;
    this.isKip848 =
        "consumer"
            .equalsIgnoreCase(String.valueOf(state.settings.consumer().get("group.protocol")));
  }

  /** To be called under the lock after the engine was told something. */
  public void afterVisit() {
    state.changed();
  }

  /** Lets the loop end: running handlers have the hand-over time, then everything is committed. */
  public void stop() {
    state.stop();
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

  @Override
  public void run() {
    long backoffMillis = 100;
    while (!state.stopRequested()) {
      long begun = state.clock.nanos();
      try {
        consume();
      } catch (RuntimeException e) {
        LOG.error(
            "{} The consumer failed and is made anew in {} ms", state.prefix(), backoffMillis, e);
      }
      if (state.clock.nanos() - begun > TimeUnit.SECONDS.toNanos(30)) {
        backoffMillis = 100;
      }
      state.awaitStop(backoffMillis);
      backoffMillis = Math.min(5_000, backoffMillis * 2);
    }
  }

  private void consume() {
    KafkaConsumer<byte[], byte[]> fresh = new KafkaConsumer<>(state.settings.consumer());
    try {
      state.enter(fresh);
      Commits commits = new Commits(fresh, state, transactions);
      Duplicates duplicates = new Duplicates(fresh, state);
      Pausing pausing = new Pausing(fresh, state, commits);
      Rereads rereads = new Rereads(fresh, state);
      Ownership ownership =
          new Ownership(fresh, state, commits, duplicates, rereads, () -> joined = true);
      fresh.subscribe(state.topics(), ownership);
      try {
        while (!state.stopRequested()) {
          turn(fresh, commits, pausing, ownership, duplicates, rereads);
        }
        long stopped = state.clock.nanos();
        ownership.handOverAll();
        commitBeforeLeaving(fresh, commits, pausing, duplicates, rereads, stopped);
      } finally {
        ownership.removeAll();
      }
    } finally {
      state.enter(null);
      // Leaving the group is a courtesy: with the brokers gone it is not waited for.
      fresh.close(CloseOptions.timeout(CLOSE_TIMEOUT));
    }
  }

  /**
   * A member that is joining cannot commit. A rebalance is let finish first if it is quick; but it
   * may wait for others that hand over, or for the session of a member that has died.
   */
  private void commitBeforeLeaving(
      KafkaConsumer<byte[], byte[]> kafka,
      Commits commits,
      Pausing pausing,
      Duplicates duplicates,
      Rereads rereads,
      long stoppedNanos) {
    long begun = state.clock.nanos();
    long latest = stoppedNanos + state.settings.handover().toNanos() + LEAVE_REBALANCING_NANOS;
    boolean beside = false;
    while (!commits.commitNow(state.allIds())) {
      long now = state.clock.nanos();
      boolean joining = commits.refusedWhileJoining();
      if (now - begun >= LEAVE_NANOS && (!joining || now - latest >= 0)) {
        commits.warnOfUncommitted(state.allIds());
        return;
      }
      if (joining && !beside && now - begun >= LEAVE_BESIDE_NANOS) {
        beside = true;
        if (commits.commitWhileJoining(state.allIds())) {
          return;
        }
      }
      state.lock.lock();
      try {
        state.engine.turn(now);
        state.engine.plan(now);
      } finally {
        state.lock.unlock();
      }
      pausing.apply();
      try {
        // A partition that the group gives this member now brings tasks in the same poll. They are
        // not worked here, but have to be known: the commit would cover them.
        accept(kafka.poll(Duration.ofMillis(50)), commits, duplicates, rereads);
      } catch (WakeupException e) {
        // Meant for an earlier poll.
      } catch (OffsetOutOfRangeException e) {
        kafka.pause(e.offsetOutOfRangePartitions().keySet()); // the next owner looks after it
      }
    }
  }

  private void turn(
      KafkaConsumer<byte[], byte[]> kafka,
      Commits commits,
      Pausing pausing,
      Ownership ownership,
      Duplicates duplicates,
      Rereads rereads) {
    TransactionalEffects writer = transactions;
    if (writer != null) {
      if (writer.takeBroken()) {
        throw new SluiceException(
            "It is not known what came of a transaction: all partitions are given back, and their"
                + " next owner sees it");
      }
      writer.member(kafka.groupMetadata());
    }
    awaitNextPoll();
    long timeoutNanos = decide();
    if (timeoutNanos < 0) {
      timeoutNanos = proveMembership(commits) ? 0 : PROVE_NANOS;
    }
    pausing.letLanesDrain();
    pausing.apply();
    commits.commitIfDue();
    if (untilEmpty && queueIsEmpty(kafka, commits)) {
      stop();
      return;
    }
    long due = Math.min(timeoutNanos, commits.dueInNanos());
    rereads.seek();
    ConsumerRecords<byte[], byte[]> records = poll(kafka, due, ownership, !commits.awaited());
    long now = state.clock.nanos();
    nextPollNanos = mayComeLater(records.count(), now) ? now + APART_NANOS : now;
    accept(records, commits, duplicates, rereads);
  }

  /**
   * Polls that bring few tasks are taken a little apart if some more come meanwhile: otherwise a
   * steady stream costs a fetch, here and in the broker, for every few tasks of it. A trickle would
   * only be held up by that; but the consumer of KIP-848 needs two more changes of threads for each
   * fetch, which are worth saving even then.
   */
  private boolean mayComeLater(int count, long now) {
    if (count == 0) {
      return false;
    }
    long gap = Math.min(GAP_NANOS_MAX, (now - broughtNanos) / count);
    broughtNanos = now;
    gapNanos += (gap - gapNanos) / 8;
    return count < FEW && (isKip848 || gapNanos * WORTH_WAITING_FOR <= APART_NANOS);
  }

  /** Waits until the next poll is due, or something else is to be done. */
  private void awaitNextPoll() {
    long rest = nextPollNanos - state.clock.nanos();
    if (rest <= 0) {
      return;
    }
    state.lock.lock();
    try {
      if (!state.stopRequested()) {
        state.awaitChange(rest);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      state.lock.unlock();
    }
  }

  /** Lets the engine look at the time; returns how long to poll, or -1 if nothing may start. */
  private long decide() {
    state.lock.lock();
    try {
      long now = state.clock.nanos();
      state.lookAfter(now);
      if (state.threads.tooManyHung() && !state.stopRequested()) {
        LOG.error(
            "{} Too many handlers never returned; this worker stops so that it can be replaced",
            state.prefix());
        gaveUp = true;
        state.stop();
      }
      state.engine.plan(now);
      if (state.engine.suspended()) {
        return -1;
      }
      suspended = false;
      long rest = state.restNanos(now);
      long next = Math.min(rest > 0 ? rest : IDLE_POLL_NANOS, state.engine.nextTurnNanos(now));
      return Math.min(next, state.threads.lookAgainNanos(now));
    } finally {
      state.lock.unlock();
    }
  }

  private ConsumerRecords<byte[], byte[]> poll(
      KafkaConsumer<byte[], byte[]> kafka,
      long timeoutNanos,
      Ownership ownership,
      boolean mayRest) {
    state.polls();
    if (isKip848 && !kafka.paused().isEmpty()) {
      return pollWithoutSpinning(kafka, timeoutNanos, ownership, mayRest);
    }
    // Rounded up: the consumer counts milliseconds, and a zero would spin.
    long millis = state.beginPoll() ? (timeoutNanos + 999_999) / 1_000_000 : 0;
    try {
      return kafka.poll(Duration.ofMillis(millis));
    } catch (WakeupException e) {
      return ConsumerRecords.empty();
    } catch (OffsetOutOfRangeException e) {
      e.offsetOutOfRangePartitions().forEach(ownership::outOfRange);
      return ConsumerRecords.empty();
    } finally {
      state.endPoll();
    }
  }

  /**
   * The consumer of KIP-848 does not wait in a poll while it has fetched data of a paused
   * partition: its buffer is not empty. Waiting is done here then, in small steps, because a fetch
   * that arrives meanwhile does not end it.
   */
  private ConsumerRecords<byte[], byte[]> pollWithoutSpinning(
      KafkaConsumer<byte[], byte[]> kafka,
      long timeoutNanos,
      Ownership ownership,
      boolean mayRest) {
    ConsumerRecords<byte[], byte[]> records = ConsumerRecords.empty();
    try {
      records = kafka.poll(Duration.ZERO);
    } catch (WakeupException e) {
      // Meant for an earlier poll.
    } catch (OffsetOutOfRangeException e) {
      e.offsetOutOfRangePartitions().forEach(ownership::outOfRange);
    }
    if (records.isEmpty() && timeoutNanos > 0) {
      state.lock.lock();
      try {
        if (!state.stopRequested()) {
          long rest = mayRest ? state.restNanos(state.clock.nanos()) : 0;
          state.awaitChange(Math.min(timeoutNanos, Math.max(rest, PAUSED_WAIT_NANOS)));
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        state.lock.unlock();
      }
    }
    return records;
  }

  private void accept(
      ConsumerRecords<byte[], byte[]> records,
      Commits commits,
      Duplicates duplicates,
      Rereads rereads) {
    if (records.isEmpty()) {
      return;
    }
    int rest = records.partitions().size();
    RecordRun[] runs = new RecordRun[Math.min(ACCEPT_MAX, records.count())];
    for (TopicPartition id : records.partitions()) {
      QueueBinding queue = state.queue(id.topic());
      PartitionState partition = state.partition(id);
      if (queue == null || partition == null) {
        throw new IllegalStateException("Records of " + id + " came, which is not assigned");
      }
      if (rereads.watches(id)) {
        rereads.accept(id, partition, records.records(id));
        accept(partition, runs, 0, --rest == 0);
        continue;
      }
      boolean watched = duplicates.watches(id);
      int count = 0;
      for (ConsumerRecord<byte[], byte[]> record : records.records(id)) {
        Duplicates.Verdict verdict =
            watched ? duplicates.look(id, record) : Duplicates.Verdict.WORK;
        if (verdict == Duplicates.Verdict.BEFORE) {
          continue;
        }
        RecordRun run = new RecordRun(record, partition, queue, queue.handlerOf(record));
        run.duplicate = verdict == Duplicates.Verdict.DUPLICATE;
        runs[count++] = run;
        if (count == runs.length) {
          accept(partition, runs, count, false);
          count = 0;
          commits.commitWhileAccepting(); // much ends meanwhile where handlers are fast
        }
      }
      accept(partition, runs, count, --rest == 0);
    }
  }

  private void accept(PartitionState partition, RecordRun[] runs, int count, boolean last) {
    state.lock.lock();
    try {
      // Under the lock: a wish that comes later finds these tasks where it looks for its own.
      boolean someCancelled = count > 0 && runs[0].queue.wishes().any();
      for (int i = 0; i < count; i++) {
        RecordRun run = runs[i];
        if (partition.ledger().wasDone(run.offset())) {
          run.duplicate = false; // it was told of before
          state.engine.seenUpTo(partition, run.offset() + 1);
        } else if (run.duplicate && !run.isCounted()) {
          state.engine.duplicate(partition, run.handler(), run.offset());
        } else {
          state.engine.accept(run);
          // Who asked before it was here is answered now, and not when its turn has come.
          if (someCancelled && run.queue.wishes().wanted(run.id())) {
            run.queue.wishes().cancelled(run.id());
          }
        }
      }
      long now = state.clock.nanos();
      // To wake a thread for part of what fast handlers get costs more than they need for it.
      if (last || !state.engine.onlyFast(now)) {
        state.threads.wake(now);
      }
    } finally {
      state.lock.unlock();
    }
    for (int i = 0; i < count; i++) {
      if (runs[i].duplicate && !runs[i].isCounted()) {
        toldDuplicate.accept(runs[i]);
      }
    }
  }

  /**
   * While it is not known that the group still has this member, nothing starts; returns whether
   * that is over.
   */
  private boolean proveMembership(Commits commits) {
    if (!suspended) {
      suspended = true;
      LOG.warn(
          "{} The group confirmed this member {} ms ago, or the process stood still meanwhile;"
              + " nothing is started until it is confirmed again",
          state.prefix(),
          TimeUnit.NANOSECONDS.toMillis(unprovenNanos()));
    }
    boolean confirmed = commits.commitNow(state.allIds());
    state.lock.lock();
    try {
      long now = state.clock.nanos();
      if (confirmed && !state.engine.suspended()) {
        suspended = false;
        state.threads.wake(now);
        return true;
      }
    } finally {
      state.lock.unlock();
    }
    long most = state.settings.joinMost().toNanos();
    if (commits.rebalancingNanos() > most && unprovenNanos() > most) {
      throw new SluiceException(
          "The group has not answered this member's request to join for "
              + TimeUnit.NANOSECONDS.toSeconds(most)
              + " s, which is longer than a rebalance lasts; it joins as a new member");
    }
    return false;
  }

  private long unprovenNanos() {
    state.lock.lock();
    try {
      return state.engine.unprovenNanos(state.clock.nanos());
    } finally {
      state.lock.unlock();
    }
  }

  private boolean queueIsEmpty(KafkaConsumer<byte[], byte[]> kafka, Commits commits) {
    long now = state.clock.nanos();
    if (!joined || now - emptyCheckedNanos < EMPTY_CHECK_NANOS) {
      return false;
    }
    state.lock.lock();
    try {
      for (PartitionState partition : state.engine.partitions()) {
        if (partition.ledger().undone() > 0) {
          return false;
        }
      }
    } finally {
      state.lock.unlock();
    }
    emptyCheckedNanos = now;
    try {
      if (!commits.commitNow(state.allIds())) {
        return false;
      }
      Set<TopicPartition> all = new HashSet<>();
      for (String topic : state.topics()) {
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
}
