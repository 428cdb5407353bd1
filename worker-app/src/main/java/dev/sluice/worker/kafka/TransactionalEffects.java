// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.PermanentTaskException;
import dev.sluice.flow.ledger.LedgerSnapshot;
import dev.sluice.history.HistoryEvent;
import dev.sluice.wire.BatchCount;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.PartitionId;
import dev.sluice.worker.engine.PartitionState;
import dev.sluice.worker.thread.Outcome;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes what the tasks of transactional queues have submitted, together with the progress that
 * says that these tasks are done: one transaction for all that has ended since the last one. The
 * progress of their partitions is committed here only, so that no commit of the consumer's can
 * overtake one that is not decided yet. Membership fences it, as KIP-447 has it: the coordinator
 * takes no offsets of a member that has lost its place, and gives none to the next owner while a
 * transaction is open that has some.
 *
 * <p>A transaction that is refused is made again with what still belongs to this worker. One whose
 * fate is not known ends the assignment: who owns the partitions then reads what came of it.
 *
 * <p>Tasks wait here inside their lanes, which bounds them. Thread-safe.
 */
final class TransactionalEffects implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TransactionalEffects.class);
  private static final int TASKS_MAX = 500;
  private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long ANEW_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final int TIMEOUT_MILLIS = 10_000;

  /** The client wraps this error of the brokers in one without a class of its own. */
  private static final String METADATA_TOO_LARGE = "metadata field of the offset request";

  private final Map<String, Object> properties;
  private final LoopState state;
  private final RunHistory history;
  private final LeavingTasks leaving;
  private final LeavingTasks.Left left;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<Ending> ended = new ArrayDeque<>();

  /** Used by its thread only. */
  private int metadataBytesMax;

  /** A task that has ended, and how. */
  private record Ending(RecordRun run, Engine.Left where) {
    boolean done() {
      return where == Engine.Left.DONE;
    }
  }

  private @Nullable ConsumerGroupMetadata member;
  private long wanted;
  private long answered;
  private boolean confirmed;
  private boolean closed;
  private boolean broken;
  private @Nullable Thread thread;

  TransactionalEffects(
      Map<String, Object> producer,
      LoopState state,
      RunHistory history,
      LeavingTasks leaving,
      LeavingTasks.Left left) {
    this.properties = new HashMap<>(producer);
    properties.put("transactional.id", state.settings.transactionalId());
    properties.put("transaction.timeout.ms", TIMEOUT_MILLIS);
    properties.put("delivery.timeout.ms", TIMEOUT_MILLIS);
    properties.put("request.timeout.ms", TIMEOUT_MILLIS / 2);
    properties.put("max.block.ms", TIMEOUT_MILLIS);
    properties.put("linger.ms", 0);
    this.state = state;
    this.metadataBytesMax = state.settings.metadataBytesMax();
    this.history = history;
    this.leaving = leaving;
    this.left = left;
  }

  /**
   * What a task that is done has submitted is to be published, its batch is to count it, and it is
   * to be ended. Never blocks.
   */
  void write(RecordRun run, Engine.Left where) {
    lock.lock();
    try {
      ended.add(new Ending(run, where));
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The poll thread tells in each turn who this worker is in its group. */
  void member(ConsumerGroupMetadata present) {
    lock.lock();
    try {
      member = present;
      if (thread == null && !closed) {
        Thread started = new Thread(this::run, "sluice-effects-" + state.settings.worker());
        started.setDaemon(true);
        thread = started;
        started.start();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether it is not known what came of a transaction: all assignments have to end. Once. */
  boolean takeBroken() {
    lock.lock();
    try {
      boolean was = broken;
      broken = false;
      return was;
    } finally {
      lock.unlock();
    }
  }

  /** Commits what is done before long, even if there is nothing new. Does not block. */
  void commitSoon() {
    lock.lock();
    try {
      wanted++;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Commits what is done, at once, and waits for it.
   *
   * @return whether the group's coordinator has confirmed this member by it
   */
  boolean commitNow(Duration timeout) {
    lock.lock();
    try {
      long mine = ++wanted;
      changed.signalAll();
      long left = timeout.toNanos();
      while (answered < mine && !closed && left > 0) {
        left = changed.awaitNanos(left);
      }
      return answered >= mine && confirmed;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    while (!isClosed()) {
      try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties)) {
        producer.initTransactions(); // ends what this process may have left open
        serve(producer);
      } catch (RuntimeException e) {
        LOG.error(
            "{} Transactions fail; what is in them stays unfinished. They are tried again in {} s",
            state.prefix(),
            TimeUnit.NANOSECONDS.toSeconds(ANEW_NANOS),
            e);
        if (String.valueOf(e.getMessage()).contains(METADATA_TOO_LARGE)) {
          metadataBytesMax /= 2; // less than a stock broker accepts; the rest goes to the ledger
        }
        giveUp();
        await(ANEW_NANOS);
      }
    }
  }

  /** It is not known which tasks are done: whoever is given the partitions next finds out. */
  private void giveUp() {
    lock.lock();
    try {
      ended.clear();
      broken = true;
      answered = wanted;
      confirmed = false;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    state.lock.lock();
    try {
      state.wakeUp();
    } finally {
      state.lock.unlock();
    }
  }

  private void serve(KafkaProducer<byte[], byte[]> producer) {
    long intervalNanos = state.settings.commitInterval().toNanos();
    while (!isClosed()) {
      List<Ending> batch = new ArrayList<>();
      ConsumerGroupMetadata present;
      long asked;
      boolean all;
      lock.lock();
      try {
        if (ended.isEmpty() && answered >= wanted) {
          changed.awaitNanos(intervalNanos);
        }
        while (!ended.isEmpty() && batch.size() < TASKS_MAX) {
          batch.add(ended.poll());
        }
        asked = wanted;
        all = ended.isEmpty();
        present = member;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      } finally {
        lock.unlock();
      }
      if (closed || present == null) {
        return;
      }
      boolean committed = transaction(producer, batch, present, asked > answered);
      lock.lock();
      try {
        // Not only once nothing waits any more: others may go on ending tasks for ever.
        if (all || !committed) {
          confirmed = committed;
          answered = asked;
          changed.signalAll();
        }
      } finally {
        lock.unlock();
      }
      if (!committed) {
        await(RETRY_NANOS);
      }
    }
  }

  /**
   * One transaction.
   *
   * @param always even if there is nothing new
   * @return whether it was committed; if not, nothing came of it, and its tasks are here again
   * @throws RuntimeException if it is not known what came of it
   */
  private boolean transaction(
      KafkaProducer<byte[], byte[]> producer,
      List<Ending> batch,
      ConsumerGroupMetadata present,
      boolean always) {
    long begun = state.clock.nanos();
    Map<PartitionState, LedgerSnapshot> news = settle(batch, always);
    if (news.isEmpty()) {
      return true;
    }
    Map<RecordRun, Exception> refused = new IdentityHashMap<>();
    LedgerOverflow overflow = state.settings.overflow();
    if (news.values().stream().anyMatch(this::tooLong)) {
      overflow.ensure();
    }
    try {
      producer.beginTransaction();
      // A task that is not covered would run again, and submit again: here nothing is left out.
      news.replaceAll(
          (partition, snapshot) ->
              tooLong(snapshot) ? overflow.send(producer, partition, snapshot) : snapshot);
      batch.stream().filter(Ending::done).forEach(each -> send(producer, each.run(), refused));
      count(producer, batch, refused);
      producer.sendOffsetsToTransaction(offsets(news), present);
      producer.flush(); // a child that cannot be published is known by then
    } catch (KafkaException e) {
      if (e instanceof CommitFailedException) {
        state.refused();
      }
      // As long as no commit was asked for, an abort makes all of it undone.
      producer.abortTransaction();
      undo(batch, refused, e);
      return false;
    }
    if (!refused.isEmpty()) {
      producer.abortTransaction();
      undo(batch, refused, refused.values().iterator().next());
      return false;
    }
    // Before it is so: after a kill in between, it runs again and not without a trace.
    batch.stream()
        .filter(Ending::done)
        .forEach(each -> history.record(each.run(), HistoryEvent.DONE, null));
    commit(producer);
    done(batch, news, begun);
    return true;
  }

  private boolean tooLong(LedgerSnapshot snapshot) {
    return snapshot.metadata().length() > metadataBytesMax;
  }

  private static void commit(KafkaProducer<byte[], byte[]> producer) {
    try {
      producer.commitTransaction();
    } catch (TimeoutException e) {
      producer.commitTransaction(); // asked a second time, it waits for the same answer
    }
  }

  /** What the brokers are to be told if this batch comes through. */
  private Map<PartitionState, LedgerSnapshot> settle(List<Ending> batch, boolean always) {
    Map<PartitionState, LedgerSnapshot> news = new LinkedHashMap<>();
    List<Ending> stale = new ArrayList<>();
    state.lock.lock();
    try {
      batch.removeIf(each -> each.run().stale() && stale.add(each));
      batch.forEach(each -> state.engine.settle(each.run()));
      for (PartitionState partition : state.engine.partitions()) {
        if (partition.transactional()
            && (always
                || partition.ledger().hasNews()
                || batch.stream().anyMatch(each -> each.run().assignment() == partition))) {
          LedgerSnapshot snapshot = partition.ledger().snapshot(metadataBytesMax);
          news.put(
              partition,
              snapshot.complete()
                  ? snapshot
                  : partition.ledger().snapshot(LedgerOverflow.BYTES_MAX));
        }
      }
    } finally {
      state.lock.unlock();
    }
    for (Ending each : stale) {
      if (each.done()) {
        history.record(each.run(), HistoryEvent.FAILED, "STALE");
      }
      left.left(each.run(), each.where());
    }
    return news;
  }

  @SuppressWarnings("FutureReturnValueIgnored") // the callback is told of the same outcome
  private static void send(
      KafkaProducer<byte[], byte[]> producer, RecordRun run, Map<RecordRun, Exception> refused) {
    for (ProducerRecord<byte[], byte[]> child : run.effects()) {
      producer.send(
          child,
          (metadata, failure) -> {
            if (failure != null) {
              synchronized (refused) {
                refused.putIfAbsent(run, failure);
              }
            }
          });
    }
  }

  /** Tells their batches how many tasks have ended, and how many they have submitted. */
  @SuppressWarnings("FutureReturnValueIgnored") // the callback is told of the same outcome
  private void count(
      KafkaProducer<byte[], byte[]> producer,
      List<Ending> batch,
      Map<RecordRun, Exception> refused) {
    Map<String, BatchCount> counts = new LinkedHashMap<>();
    Map<String, RecordRun> one = new HashMap<>();
    for (Ending each : batch) {
      String name = each.run().batch();
      if (name != null) {
        counts.merge(name, count(each, name), BatchCount::plus);
        one.put(name, each.run());
      }
    }
    counts.forEach(
        (name, count) ->
            producer.send(
                count.toRecord(state.settings.batchesTopic(), name),
                (metadata, failure) -> {
                  if (failure != null) {
                    synchronized (refused) {
                      refused.putIfAbsent(one.get(name), failure);
                    }
                  }
                }));
  }

  private static BatchCount count(Ending each, String batch) {
    long submitted = 0;
    if (each.done()) {
      for (ProducerRecord<byte[], byte[]> child : each.run().effects()) {
        if (batch.equals(TaskCodec.text(child.headers(), TaskHeaders.BATCH))) {
          submitted++;
        }
      }
    }
    return new BatchCount(0, submitted, each.done() ? 1 : 0, each.done() ? 0 : 1, false);
  }

  private void done(List<Ending> batch, Map<PartitionState, LedgerSnapshot> news, long begun) {
    batch.forEach(each -> left.left(each.run(), each.where()));
    state.counters.committed();
    state.lock.lock();
    try {
      state.engine.acknowledged(news);
      state.engine.proven(begun);
      state.threads.wake(state.clock.nanos());
      state.wakeUp(); // a pause may be over
    } finally {
      state.lock.unlock();
    }
  }

  /** Nothing came of it: what can come through later waits for the next one. */
  private void undo(List<Ending> batch, Map<RecordRun, Exception> refused, Exception why) {
    state.counters.commitFailed();
    LOG.info(
        "{} A transaction was refused and is made again with what still belongs here: {}",
        state.prefix(),
        why.toString());
    state.lock.lock();
    try {
      batch.forEach(each -> state.engine.unsettle(each.run()));
    } finally {
      state.lock.unlock();
    }
    lock.lock();
    try {
      for (int i = batch.size() - 1; i >= 0; i--) {
        Ending each = batch.get(i);
        RecordRun run = each.run();
        Exception failure = refused.get(run);
        if (failure != null && LeavingTasks.hopeless(failure) && each.done()) {
          PermanentTaskException dead =
              new PermanentTaskException(
                  "A task that it has submitted could not be published", failure);
          leaving.write(run, new Outcome.Dead("its work was taken back", dead));
        } else {
          ended.addFirst(each);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private static Map<TopicPartition, OffsetAndMetadata> offsets(
      Map<PartitionState, LedgerSnapshot> news) {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    news.forEach(
        (partition, snapshot) ->
            offsets.put(
                LoopState.kafkaId(partition),
                new OffsetAndMetadata(snapshot.position(), snapshot.metadata())));
    return offsets;
  }

  /** Whether these have partitions whose progress is committed here. */
  boolean has(Collection<PartitionId> ids) {
    state.lock.lock();
    try {
      for (PartitionId id : ids) {
        PartitionState partition = state.engine.partition(id);
        if (partition != null && partition.transactional()) {
          return true;
        }
      }
      return false;
    } finally {
      state.lock.unlock();
    }
  }

  private boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  private void await(long nanos) {
    lock.lock();
    try {
      long rest = nanos;
      while (!closed && rest > 0) {
        rest = changed.awaitNanos(rest);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      closed = true;
    } finally {
      lock.unlock();
    }
  }

  /** Ends the thread after its present transaction; what waits is left to the next owner. */
  @Override
  public void close() {
    Thread running;
    lock.lock();
    try {
      closed = true;
      running = thread;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    if (running != null) {
      try {
        running.join(1_000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
