// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.time.Clock;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.PartitionId;
import dev.sluice.worker.engine.PartitionState;
import dev.sluice.worker.fleet.ChildRoom;
import dev.sluice.worker.thread.EngineLock;
import dev.sluice.worker.thread.HandlerThreads;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the parts of one poll loop share: the engine under its lock, and how the poll thread is
 * reached while it polls or waits.
 */
final class LoopState {
  private static final Logger LOG = LoggerFactory.getLogger(LoopState.class);
  private static final long AUDIT_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final int TOLD_MAX = 100;
  private static final long WATCH_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  /** How long lanes may wait to be filled again while all threads have more than enough to do. */
  private static final long REST_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(50);

  /** The same where what comes may go before what is here. */
  private static final long REST_IN_TURNS_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(20);

  private static final long REST_NANOS_MIN = TimeUnit.MILLISECONDS.toNanos(2);

  final PollSettings settings;
  final Engine engine;
  final EngineLock lock;
  final HandlerThreads threads;
  final Clock clock;
  final PollCounters counters;
  final Map<String, Object> producer;
  private final Map<String, QueueBinding> queueByTopic = new HashMap<>();
  private final Condition changed;
  private final ChildRoom[] rooms;
  private final long restNanosMax;

  private volatile boolean stopping;

  // Guarded by the lock.
  private @Nullable KafkaConsumer<byte[], byte[]> consumer;
  private boolean polling;
  private long watchedNanos;
  private long auditedNanos;
  private final Set<String> told = new HashSet<>();
  private boolean lanesMayWait;

  // Of the poll thread.
  private long pollNanos;
  private long pollBeforeNanos;

  /**
   * @param producer properties of producers of this worker's
   */
  LoopState(
      PollSettings settings,
      Engine engine,
      EngineLock lock,
      HandlerThreads threads,
      Clock clock,
      PollCounters counters,
      Map<String, Object> producer) {
    this.producer = producer;
    this.settings = settings;
    this.engine = engine;
    this.lock = lock;
    this.threads = threads;
    this.clock = clock;
    this.counters = counters;
    this.changed = lock.newCondition();
    this.pollNanos = clock.nanos();
    this.pollBeforeNanos = pollNanos;
    this.restNanosMax =
        settings.queues().stream().anyMatch(queue -> queue.state().inTurns())
            ? REST_IN_TURNS_NANOS_MAX
            : REST_NANOS_MAX;
    this.rooms = settings.queues().stream().map(QueueBinding::room).toArray(ChildRoom[]::new);
    settings
        .queues()
        .forEach(queue -> queue.topics().forEach(topic -> queueByTopic.put(topic, queue)));
  }

  Set<String> topics() {
    return queueByTopic.keySet();
  }

  @Nullable QueueBinding queue(String topic) {
    return queueByTopic.get(topic);
  }

  /** For log lines. */
  String prefix() {
    return "[worker=" + settings.worker() + " group=" + settings.group() + "]";
  }

  // ---- partitions ----

  static PartitionId idOf(TopicPartition id) {
    return new PartitionId(id.topic(), id.partition());
  }

  static PartitionId idOf(PartitionState partition) {
    return new PartitionId(partition.topic(), partition.partition());
  }

  static TopicPartition kafkaId(PartitionState partition) {
    return new TopicPartition(partition.topic(), partition.partition());
  }

  @Nullable PartitionState partition(TopicPartition id) {
    lock.lock();
    try {
      return engine.partition(idOf(id));
    } finally {
      lock.unlock();
    }
  }

  List<PartitionId> allIds() {
    lock.lock();
    try {
      return engine.partitions().stream().map(LoopState::idOf).toList();
    } finally {
      lock.unlock();
    }
  }

  /** The group's coordinator does not know this member, or not of this generation. */
  void refused() {
    lock.lock();
    try {
      engine.refused(clock.nanos());
    } finally {
      lock.unlock();
    }
  }

  // ---- the poll thread ----

  /** From now on that consumer is woken; null if there is none. */
  void enter(@Nullable KafkaConsumer<byte[], byte[]> kafka) {
    lock.lock();
    try {
      consumer = kafka;
      polling = false;
    } finally {
      lock.unlock();
    }
  }

  /** Called before each poll of the consumer. */
  void polls() {
    pollBeforeNanos = pollNanos;
    pollNanos = clock.nanos();
  }

  /** When the poll before the present one began: what that one brings came after it. */
  long polledBeforeNanos() {
    return pollBeforeNanos;
  }

  /** Called before a poll; returns whether it may wait. */
  boolean beginPoll() {
    lock.lock();
    try {
      polling = !turnWanted() && !stopping;
      return polling;
    } finally {
      lock.unlock();
    }
  }

  /** The consumer must not be woken any more. */
  void endPoll() {
    lock.lock();
    try {
      polling = false;
    } finally {
      lock.unlock();
    }
  }

  /** What time has brought, for tasks and for threads. Under the lock. */
  void lookAfter(long now) {
    engine.turn(now);
    engine.hurry(anyRoomIsBounded());
    lanesMayWait = restNanos(now) > 0;
    if (now - watchedNanos > WATCH_NANOS) {
      watchedNanos = now;
      threads.watch(now);
    }
    threads.wake(now);
    if (now - auditedNanos > AUDIT_NANOS) {
      auditedNanos = now;
      audit();
    }
  }

  /** Whether tasks of some queue wait for room for what they submit, here or elsewhere. */
  private boolean anyRoomIsBounded() {
    for (ChildRoom room : rooms) {
      if (room.isBounded()) {
        return true;
      }
    }
    return false;
  }

  /** Names what was taken and not given back: it would take room for ever. */
  private void audit() {
    List<String> leaks = threads.leaks();
    counters.leaks(leaks.size());
    for (String leak : leaks) {
      if (told.size() < TOLD_MAX && told.add(leak)) {
        LOG.error("{} A place was never given back: {}. Please report this.", prefix(), leak);
      }
    }
  }

  /** Waits at most so long for something that the poll thread should see. Under the lock. */
  void awaitChange(long nanos) throws InterruptedException {
    if (!turnWanted()) {
      changed.awaitNanos(nanos);
    }
  }

  /**
   * For how long the poll thread may leave paused partitions alone, because every thread has more
   * than that to do: turns that change nothing would take the processor from the handlers. 0 if it
   * is to come as soon as a lane has room. Under the lock.
   */
  long restNanos(long now) {
    long rest = engine.somePaused() ? threads.saturatedNanos(now) / 2 : 0;
    return rest < REST_NANOS_MIN ? 0 : Math.min(rest, restNanosMax);
  }

  private boolean turnWanted() {
    return engine.turnWanted() || engine.lanesLow() && !lanesMayWait;
  }

  /** Tells the poll thread if the engine wants a turn. Under the lock. */
  void changed() {
    // Somebody has nothing to do: what was to wait for as long as all are busy is wanted now.
    boolean restOver = lanesMayWait && threads.someIdle();
    lanesMayWait &= !restOver;
    if (restOver || turnWanted()) {
      wake();
    }
  }

  /** Lets the poll thread take a turn, though the engine does not ask for one. Under the lock. */
  void wakeUp() {
    wake();
  }

  private void wake() {
    KafkaConsumer<byte[], byte[]> present = consumer;
    if (polling && present != null) {
      polling = false;
      present.wakeup();
    } else {
      changed.signalAll();
    }
  }

  // ---- the end ----

  void stop() {
    lock.lock();
    try {
      stopping = true;
      wake();
    } finally {
      lock.unlock();
    }
  }

  boolean stopRequested() {
    return stopping;
  }

  /** Waits, with nothing to poll, until the time is over or the end is asked for. */
  void awaitStop(long millis) {
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
}
