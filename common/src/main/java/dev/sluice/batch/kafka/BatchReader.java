// SPDX-License-Identifier: Apache-2.0
package dev.sluice.batch.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.SluiceException;
import dev.sluice.delay.kafka.DelayClients;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.time.Clock;
import dev.sluice.wire.BatchCount;
import dev.sluice.wire.TaskCodec;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;

/**
 * Adds up what the records of one batch count. What it keeps does not grow with the batch.
 * Thread-safe; one thread reads at a time, and the others wait for it.
 */
public final class BatchReader implements AutoCloseable {
  private static final int FETCH_MILLIS = 100;
  private static final Duration REQUEST = Duration.ofSeconds(10);
  private static final long POLL_MILLIS = 200;

  /** The time-out of a worker's transaction, and how often brokers look for those that are over. */
  private static final long SETTLE_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final byte[] batch;
  private final KafkaSettings kafka;
  private final Clock clock;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final TopicPartition partition;

  /** Fair: whoever asks how far it is gets in between the reads of whoever waits for the end. */
  private final ReentrantLock lock = new ReentrantLock(true);

  // Guarded by the lock.
  private BatchCount count = BatchCount.NONE;

  /**
   * Begins with the first record of the batch.
   *
   * @param topic of the counts
   * @throws SluiceException if the brokers do not answer
   */
  public BatchReader(KafkaSettings kafka, String topic, String batch, Clock clock) {
    this.batch = batch.getBytes(UTF_8);
    this.kafka = kafka;
    this.clock = clock;
    this.consumer = DelayClients.tail(kafka, "sluice-batch-" + batch, FETCH_MILLIS);
    try {
      int partitions = consumer.partitionsFor(topic, REQUEST).size();
      this.partition = new TopicPartition(topic, TaskCodec.partitionOf(batch, partitions));
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
    } catch (KafkaException e) {
      consumer.close(CloseOptions.timeout(Duration.ZERO));
      throw new SluiceException(
          "Batch " + batch + " cannot be read: " + topic + " does not answer", e);
    }
  }

  /**
   * What is counted by now.
   *
   * @throws SluiceException if the brokers do not answer
   */
  public BatchCount count() {
    return upTo(() -> consumer.endOffsets(List.of(partition), REQUEST).getOrDefault(partition, 0L));
  }

  /**
   * What is counted in all that is in the log by now. A worker that died leaves a transaction open,
   * and what others have committed behind it cannot be read before the brokers have undone that,
   * which {@link #count} does not wait for: this does, for some tens of seconds.
   *
   * @throws SluiceException if the brokers do not answer, or a transaction stays open for a minute
   */
  public BatchCount settled() {
    return upTo(this::logEnd);
  }

  private BatchCount upTo(LongSupplier log) {
    long start = clock.nanos();
    lock.lock();
    try {
      long end = log.getAsLong();
      while (consumer.position(partition, REQUEST) < end) {
        if (clock.nanos() - start > SETTLE_NANOS) {
          throw new SluiceException(
              "What is counted in "
                  + partition
                  + " could not be read within a minute. Open the batch again later; if a"
                  + " transaction there never ends, 'kafka-transactions.sh find-hanging' names it.");
        }
        read(POLL_MILLIS);
      }
      return count;
    } catch (KafkaException e) {
      throw new SluiceException("The batch cannot be read now: " + e.getMessage(), e);
    } finally {
      lock.unlock();
    }
  }

  /** Where the log ends, what is not committed included. */
  private long logEnd() {
    Map<String, Object> properties = kafka.admin();
    properties.putIfAbsent("request.timeout.ms", "5000");
    properties.put("default.api.timeout.ms", Long.toString(REQUEST.toMillis()));
    try (Admin admin = Admin.create(properties)) {
      return admin
          .listOffsets(
              Map.of(partition, OffsetSpec.latest()),
              new ListOffsetsOptions(IsolationLevel.READ_UNCOMMITTED))
          .partitionResult(partition)
          .get(REQUEST.toMillis(), TimeUnit.MILLISECONDS)
          .offset();
    } catch (ExecutionException | TimeoutException e) {
      throw new SluiceException("The batch cannot be read now: " + partition + " is silent", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SluiceException("Interrupted while opening a batch", e);
    }
  }

  /**
   * Waits until the batch is closed and all its tasks have ended.
   *
   * @return false if the time was up
   */
  public boolean await(long maxWaitNanos) throws InterruptedException {
    long start = clock.nanos();
    try {
      BatchCount known = count();
      while (!known.isOver()) {
        long left =
            maxWaitNanos == Long.MAX_VALUE
                ? Long.MAX_VALUE
                : maxWaitNanos - (clock.nanos() - start);
        if (left <= 0) {
          return false;
        }
        known = next(Math.max(1, Math.min(POLL_MILLIS, TimeUnit.NANOSECONDS.toMillis(left))));
      }
      return true;
    } catch (InterruptException e) {
      boolean ignored = Thread.interrupted();
      throw new InterruptedException("Interrupted while waiting for a batch");
    } catch (KafkaException e) {
      throw new SluiceException("The batch cannot be read now: " + e.getMessage(), e);
    }
  }

  private BatchCount next(long millis) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      read(millis);
      return count;
    } finally {
      lock.unlock();
    }
  }

  private void read(long millis) {
    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(millis))) {
      if (Arrays.equals(record.key(), batch)) {
        count = count.plus(BatchCount.read(record.value()));
      }
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      consumer.close(CloseOptions.timeout(Duration.ofMillis(200)));
    } finally {
      lock.unlock();
    }
  }
}
