// SPDX-License-Identifier: Apache-2.0
package dev.sluice.delay.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.Cancellation;
import dev.sluice.SluiceException;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks for delayed tasks to be cancelled, and reads the answers. The answer is a record of whoever
 * serves the shard of the task, written in one transaction with what it says, so that it is true
 * whoever dies. Thread-safe; at most {@value #WAITING_MAX} wishes wait for an answer at once.
 */
public final class CancelDesk implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CancelDesk.class);
  private static final int WAITING_MAX = 100_000;
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration START = Duration.ofSeconds(15);
  private static final long CLOSE_MILLIS = 2_000;

  private final DelayTopics topics;
  private final int shards;
  private final Clock clock;
  private final KafkaProducer<byte[], byte[]> producer;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final ReentrantLock lock = new ReentrantLock();
  private final CountDownLatch ended = new CountDownLatch(1);

  // Guarded by the lock.
  private final Map<String, Wish> wishes = new HashMap<>();
  private boolean closed;

  private record Wish(long untilNanos, CompletableFuture<Cancellation> answer) {}

  /**
   * Opens it: from here on answers are heard.
   *
   * @param shards how many the delay topics have
   * @throws dev.sluice.SluiceException if the brokers do not answer
   */
  public CancelDesk(
      KafkaSettings kafka, DelayTopics topics, int shards, String clientId, Clock clock) {
    this.topics = topics;
    this.shards = shards;
    this.clock = clock;
    this.producer = DelayClients.words(kafka, clientId);
    this.consumer = DelayClients.tail(kafka, clientId);
    try {
      List<TopicPartition> answers = new ArrayList<>();
      for (int i = 0; i < shards; i++) {
        answers.add(new TopicPartition(topics.cancelled(), i));
      }
      consumer.assign(answers);
      consumer.endOffsets(answers, START).forEach(consumer::seek);
    } catch (KafkaException e) {
      producer.close(Duration.ZERO);
      consumer.close(CloseOptions.timeout(Duration.ZERO));
      throw new SluiceException(
          "Cancelling is not possible: topic " + topics.cancelled() + " does not answer", e);
    }
    Thread thread = new Thread(this::run, clientId);
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * Asks for a task not to run.
   *
   * @param id of the task
   * @param dueMillis when it is due, as it was submitted, in epoch milliseconds
   * @param timeout for the answer; without one in time the future fails, and the task may or may
   *     not run
   * @return the answer; on another thread, which must not be blocked
   */
  public CompletableFuture<Cancellation> cancel(String id, long dueMillis, Duration timeout) {
    CompletableFuture<Cancellation> answer = new CompletableFuture<>();
    lock.lock();
    try {
      if (closed || wishes.size() >= WAITING_MAX) {
        throw new SluiceException(
            "Task "
                + id
                + " was not asked to be cancelled: "
                + (closed ? "closed" : wishes.size() + " others wait for their answer")
                + ".");
      }
      Wish before = wishes.get(id);
      if (before != null) {
        return before.answer();
      }
      wishes.put(id, new Wish(clock.nanos() + timeout.toNanos(), answer));
    } finally {
      lock.unlock();
    }
    ProducerRecord<byte[], byte[]> wish =
        new ProducerRecord<>(
            topics.cancelRequests(),
            DelayTopics.shardOf(id, shards),
            id.getBytes(UTF_8),
            CancelCodec.write(new CancelCodec.Cancel(dueMillis, null)));
    try {
      var ignored =
          producer.send(
              wish,
              (metadata, failure) -> {
                if (failure != null) {
                  fail(id, "the wish may not have been written: " + failure.getMessage());
                }
              });
    } catch (KafkaException e) {
      fail(id, "the wish was not written: " + e.getMessage());
    }
    return answer;
  }

  private void fail(String id, String why) {
    Wish wish;
    lock.lock();
    try {
      wish = wishes.remove(id);
    } finally {
      lock.unlock();
    }
    if (wish != null) {
      wish.answer()
          .completeExceptionally(
              new SluiceException("It is not known whether task " + id + " runs: " + why));
    }
  }

  private void run() {
    try {
      while (!isClosed()) {
        try {
          for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
            answered(record);
          }
        } catch (WakeupException e) {
          // Closed.
        } catch (KafkaException e) {
          LOG.warn("Answers about cancelled tasks cannot be read now: {}", e.getMessage());
        }
        overdue().forEach(id -> fail(id, "no answer came in time. Is a worker up?"));
      }
    } finally {
      consumer.close(CloseOptions.timeout(Duration.ofMillis(200)));
      ended.countDown();
    }
  }

  private void answered(ConsumerRecord<byte[], byte[]> record) {
    CancelCodec.Cancel read = CancelCodec.readCancel(record.value());
    if (read == null || record.key() == null) {
      return;
    }
    Cancellation outcome = read.outcome();
    Wish wish;
    lock.lock();
    try {
      wish = outcome == null ? null : wishes.remove(new String(record.key(), UTF_8));
    } finally {
      lock.unlock();
    }
    if (wish != null && outcome != null) {
      wish.answer().complete(outcome);
    }
  }

  private List<String> overdue() {
    List<String> ids = new ArrayList<>();
    long now = clock.nanos();
    lock.lock();
    try {
      wishes.forEach(
          (id, wish) -> {
            if (wish.untilNanos() - now < 0) {
              ids.add(id);
            }
          });
    } finally {
      lock.unlock();
    }
    return ids;
  }

  private boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  /** Ends it; wishes without an answer fail. Waits at most some seconds. */
  @Override
  public void close() {
    List<String> open;
    lock.lock();
    try {
      closed = true;
      open = List.copyOf(wishes.keySet());
    } finally {
      lock.unlock();
    }
    consumer.wakeup();
    open.forEach(id -> fail(id, "closed before the answer came"));
    producer.close(Duration.ofMillis(CLOSE_MILLIS));
    try {
      if (!ended.await(CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
        LOG.debug("The thread that reads answers is still ending");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
