// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.kafka;

import dev.sluice.QueueFullException;
import dev.sluice.SluiceException;
import dev.sluice.TaskIds;
import dev.sluice.TaskResult;
import dev.sluice.delay.kafka.DelayClients;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.time.Clock;
import dev.sluice.wire.PayloadCodec;
import dev.sluice.wire.ResultCodec;
import dev.sluice.wire.TaskCodec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the topics in which workers tell how tasks ended, and hands each result to whoever waits
 * for it. One thread and one consumer, without a group, that exist while somebody waits; results
 * that nobody here waits for are skipped by their id. Thread-safe.
 *
 * <p>At most {@value #WAITING_MAX} results are waited for at once.
 */
public final class ResultDesk implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ResultDesk.class);
  private static final int WAITING_MAX = 1_000_000;
  private static final int PARTITIONS_MAX = 12;
  private static final String RETENTION_MILLIS = Long.toString(TimeUnit.DAYS.toMillis(1));
  private static final Duration REQUEST = Duration.ofSeconds(10);
  private static final long OPEN_NANOS = TimeUnit.SECONDS.toNanos(20);
  private static final int FETCH_MILLIS = 100;
  private static final Duration POLL = Duration.ofMillis(500);
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final long AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final long CLOSE_MILLIS = 2_000;

  /** Clocks of machines differ: an id may seem younger than its result by this. */
  private static final long CLOCKS_MILLIS = TimeUnit.MINUTES.toMillis(5);

  private final KafkaSettings kafka;
  private final PayloadCodec codec;
  private final Clock clock;
  private final String clientId;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Guarded by the lock.
  private final Map<Key, List<CompletableFuture<TaskResult>>> waiting = new HashMap<>();
  private final Set<String> checked = new HashSet<>();
  private final Set<String> open = new HashSet<>();
  private final Set<String> opening = new HashSet<>();
  private final Map<String, String> failed = new HashMap<>();
  private final Map<Key, Long> past = new HashMap<>();
  private @Nullable KafkaConsumer<byte[], byte[]> consumer;
  private @Nullable Thread thread;
  private boolean closed;

  private record Key(String topic, String id) {}

  /**
   * @param clientId of its consumer
   */
  public ResultDesk(KafkaSettings kafka, PayloadCodec codec, Clock clock, String clientId) {
    this.kafka = kafka;
    this.codec = codec;
    this.clock = clock;
    this.clientId = clientId;
  }

  /**
   * The result of a task that is submitted after this has returned. The first call for a topic
   * waits until it is read, and creates it where it is missing.
   *
   * @param topic that results go to
   * @param tasks the topic of the queue: a new topic for results has as many partitions, at most 12
   * @return completes on a thread that must not be blocked; fails when this is closed
   * @throws QueueFullException if too many results are waited for already
   * @throws SluiceException if the topic cannot be read
   */
  public CompletableFuture<TaskResult> expect(String topic, String tasks, String id) {
    prepare(topic, tasks);
    return register(new Key(topic, id), -1);
  }

  /**
   * The result of a task that was submitted before, perhaps by another process: what the topic
   * still has is looked through.
   *
   * @throws QueueFullException if too many results are waited for already
   * @throws SluiceException if the topic cannot be read, or does not exist
   */
  public CompletableFuture<TaskResult> find(String topic, String id) {
    return register(new Key(topic, id), Math.max(0, TaskIds.epochMillis(id) - CLOCKS_MILLIS));
  }

  /** Nobody waits for this one any more. */
  public void forget(String topic, String id, CompletableFuture<TaskResult> result) {
    lock.lock();
    try {
      Key key = new Key(topic, id);
      List<CompletableFuture<TaskResult>> known = waiting.getOrDefault(key, List.of());
      List<CompletableFuture<TaskResult>> others =
          known.stream().filter(each -> each != result).toList();
      if (others.isEmpty()) {
        waiting.remove(key);
        past.remove(key);
      } else {
        waiting.put(key, others);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Makes sure that there is a topic that results can go to, for a task whose result somebody may
   * ask for later.
   *
   * @param tasks the topic of the task
   * @throws SluiceException if there is none, and it may not be created
   */
  public void prepare(String topic, String tasks) {
    lock.lock();
    try {
      if (checked.contains(topic)) {
        return;
      }
    } finally {
      lock.unlock();
    }
    if (!ResultCodec.isResultTopic(topic)) {
      throw new SluiceException(
          "Results cannot go to topic "
              + topic
              + ": workers write results to topics only whose names end with .results or contain"
              + " .results.");
    }
    try (Topics topics = new Topics(kafka, REQUEST)) {
      if (topics.partitions(topic).isEmpty()) {
        Optional<Integer> like = topics.partitions(tasks);
        topics.ensure(
            Map.of(topic, Math.min(PARTITIONS_MAX, like.orElse(1))),
            (short) 0,
            Map.of("retention.ms", RETENTION_MILLIS));
      }
    }
    lock.lock();
    try {
      checked.add(topic);
    } finally {
      lock.unlock();
    }
  }

  private CompletableFuture<TaskResult> register(Key key, long sinceMillis) {
    lock.lock();
    try {
      if (waiting.size() >= WAITING_MAX) {
        throw new QueueFullException(
            "Task "
                + key.id()
                + " was not published: the results of "
                + WAITING_MAX
                + " others are waited for already.",
            Duration.ofSeconds(1));
      }
      awaitOpen(key.topic());
      CompletableFuture<TaskResult> result = new CompletableFuture<>();
      List<CompletableFuture<TaskResult>> all =
          new ArrayList<>(waiting.getOrDefault(key, List.of()));
      all.add(result);
      waiting.put(key, List.copyOf(all));
      if (sinceMillis >= 0) {
        past.put(key, sinceMillis);
        wake();
      }
      return result;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until what comes into the topic from now on is read. Under the lock. */
  private void awaitOpen(String topic) {
    long left = OPEN_NANOS;
    failed.remove(topic);
    while (!open.contains(topic)) {
      String why = failed.remove(topic);
      if (closed || left <= 0 || why != null) {
        String what = closed ? "the producer is closed" : "the brokers do not answer";
        throw new SluiceException(
            "Results of topic " + topic + " cannot be read: " + (why == null ? what : why));
      }
      if (thread == null) {
        Thread started = new Thread(this::run, clientId);
        started.setDaemon(true);
        thread = started;
        started.start();
      }
      if (opening.add(topic)) {
        wake();
      }
      try {
        left = changed.awaitNanos(left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new SluiceException(
            "Interrupted while waiting for topic " + topic + " to be read", e);
      }
    }
  }

  private void wake() {
    changed.signalAll();
    KafkaConsumer<byte[], byte[]> present = consumer;
    if (present != null) {
      present.wakeup();
    }
  }

  // ---- the thread that reads ----

  private void run() {
    while (true) {
      try (KafkaConsumer<byte[], byte[]> fresh = DelayClients.tail(kafka, clientId, FETCH_MILLIS)) {
        if (!enter(fresh)) {
          return;
        }
        read(fresh);
        leave();
        fresh.close(CloseOptions.timeout(Duration.ofMillis(200)));
        if (ended()) {
          return;
        }
      } catch (KafkaException e) {
        LOG.warn("Results cannot be read now, which is tried again: {}", e.toString());
        leave();
        if (rest()) {
          return;
        }
      }
    }
  }

  private boolean enter(KafkaConsumer<byte[], byte[]> fresh) {
    lock.lock();
    try {
      consumer = fresh;
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  /** Whoever waits still does: their results are looked for from where they may be. */
  private void leave() {
    lock.lock();
    try {
      consumer = null;
      opening.addAll(open);
      open.clear();
      for (Key key : waiting.keySet()) {
        past.putIfAbsent(key, Math.max(0, TaskIds.epochMillis(key.id()) - CLOCKS_MILLIS));
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether there is nothing to read any more; the thread is given up then. */
  private boolean ended() {
    lock.lock();
    try {
      if (closed || waiting.isEmpty()) {
        opening.clear();
        thread = null;
        return true;
      }
      return false;
    } finally {
      lock.unlock();
    }
  }

  private boolean rest() {
    lock.lock();
    try {
      long left = AGAIN_NANOS;
      while (!closed && left > 0) {
        left = changed.awaitNanos(left);
      }
      return closed;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Reads until this is closed, or nobody has waited for anything for a while. */
  private void read(KafkaConsumer<byte[], byte[]> from) {
    long busyNanos = clock.nanos();
    while (true) {
      long now = clock.nanos();
      lock.lock();
      try {
        if (closed) {
          return;
        }
        if (!waiting.isEmpty() || !opening.isEmpty()) {
          busyNanos = now;
        } else if (now - busyNanos > IDLE_NANOS) {
          open.clear();
          return;
        }
      } finally {
        lock.unlock();
      }
      try {
        openTopics(from);
        goBack(from);
        for (ConsumerRecord<byte[], byte[]> record : from.poll(POLL)) {
          told(record);
        }
      } catch (WakeupException e) {
        // There is something to open, to look for, or the end.
      }
    }
  }

  private void openTopics(KafkaConsumer<byte[], byte[]> from) {
    for (String topic : copyOf(opening)) {
      List<TopicPartition> partitions = new ArrayList<>();
      String why = null;
      try {
        List<PartitionInfo> infos = from.partitionsFor(topic, REQUEST);
        if (infos.isEmpty()) {
          why = "there is no such topic";
        }
        infos.forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
        Set<TopicPartition> all = new HashSet<>(from.assignment());
        all.addAll(partitions);
        from.assign(all);
        from.endOffsets(partitions, REQUEST).forEach(from::seek);
      } catch (WakeupException e) {
        throw e;
      } catch (KafkaException e) {
        why = e.getMessage();
      }
      lock.lock();
      try {
        opening.remove(topic);
        if (why == null) {
          open.add(topic);
        } else {
          failed.put(topic, why);
        }
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  private Set<String> copyOf(Set<String> topics) {
    lock.lock();
    try {
      return Set.copyOf(topics);
    } finally {
      lock.unlock();
    }
  }

  /** To what may have been told before somebody asked. */
  private void goBack(KafkaConsumer<byte[], byte[]> from) {
    Map<Key, Long> asked;
    lock.lock();
    try {
      asked = Map.copyOf(past);
    } finally {
      lock.unlock();
    }
    if (asked.isEmpty()) {
      return;
    }
    Map<TopicPartition, Long> times = new HashMap<>();
    Map<String, Integer> partitions = new HashMap<>();
    from.assignment().forEach(id -> partitions.merge(id.topic(), 1, Integer::sum));
    asked.forEach(
        (key, millis) -> {
          Integer count = partitions.get(key.topic());
          if (count != null) {
            int partition = TaskCodec.partitionOf(key.id(), count);
            times.merge(new TopicPartition(key.topic(), partition), millis, Math::min);
          }
        });
    Map<TopicPartition, OffsetAndTimestamp> found = from.offsetsForTimes(times, REQUEST);
    found.forEach(
        (id, offset) -> {
          if (offset != null && offset.offset() < from.position(id, REQUEST)) {
            from.seek(id, offset.offset());
          }
        });
    lock.lock();
    try {
      asked.keySet().forEach(past::remove);
    } finally {
      lock.unlock();
    }
  }

  private void told(ConsumerRecord<byte[], byte[]> record) {
    String id = ResultCodec.id(record);
    if (id == null) {
      return;
    }
    Key key = new Key(record.topic(), id);
    if (!isWanted(key)) {
      return;
    }
    TaskResult result = ResultCodec.read(record, codec);
    if (result == null) {
      LOG.warn("The result of task {} cannot be read: a worker of another version wrote it", id);
      return;
    }
    List<CompletableFuture<TaskResult>> wanted;
    lock.lock();
    try {
      wanted = waiting.getOrDefault(key, List.of());
      waiting.remove(key);
      past.remove(key);
    } finally {
      lock.unlock();
    }
    wanted.forEach(each -> each.complete(result));
  }

  private boolean isWanted(Key key) {
    lock.lock();
    try {
      return waiting.containsKey(key);
    } finally {
      lock.unlock();
    }
  }

  /** Ends it; whoever still waits is told. Waits at most some seconds. */
  @Override
  public void close() {
    List<CompletableFuture<TaskResult>> left;
    Thread running;
    lock.lock();
    try {
      closed = true;
      left = waiting.values().stream().flatMap(List::stream).toList();
      waiting.clear();
      running = thread;
      wake();
    } finally {
      lock.unlock();
    }
    left.forEach(
        result ->
            result.completeExceptionally(
                new SluiceException("The producer was closed before the task had ended")));
    if (running != null && running != Thread.currentThread()) {
      try {
        running.join(CLOSE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
