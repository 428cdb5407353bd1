// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.SluiceException;
import dev.sluice.flow.ledger.DoneRanges;
import dev.sluice.flow.ledger.LedgerCodec;
import dev.sluice.flow.ledger.LedgerReference;
import dev.sluice.flow.ledger.LedgerSnapshot;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.time.SystemClock;
import dev.sluice.worker.engine.PartitionId;
import dev.sluice.worker.engine.PartitionState;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gaps that do not fit into the commit metadata go to the compacted topic of the ledger, and the
 * metadata refers to them. A commit that refers to a record is made once that is acknowledged. Of
 * one partition one record is on its way at a time. Thread-safe.
 *
 * <p>What a record says is true whether or not a commit ever referred to it, because tasks that are
 * done stay so. So a reader takes the last record of its partition from the one on that is referred
 * to, and compaction, which keeps the last one, takes nothing away.
 */
public final class LedgerOverflow implements AutoCloseable {
  /**
   * What one record may take: 100,000 unfinished tasks, the largest lane, fit into a third of it.
   */
  static final int BYTES_MAX = 512 << 10;

  private static final Logger LOG = LoggerFactory.getLogger(LedgerOverflow.class);
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final int PARTITIONS = 8;
  private static final int WAITING_MAX = 10_000;
  private static final int SAFE_REPLICAS = 3;

  /** After a failure gaps that do not fit are left out for so long, as if there was no ledger. */
  private static final long BROKEN_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final KafkaSettings kafka;
  private final FleetDefinition fleet;
  private final String group;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Map<PartitionId, Write> writes = new HashMap<>();
  private final ExecutorService thread;
  private @Nullable KafkaProducer<byte[], byte[]> producer;
  private boolean ensured;
  private long brokenUntilNanos = Long.MIN_VALUE;
  private boolean brokenOnce;

  /** One record, on its way or there. */
  private static final class Write {
    final PartitionState partition;
    @Nullable LedgerSnapshot written;

    Write(PartitionState partition) {
      this.partition = partition;
    }
  }

  /**
   * @param group the consumer group whose progress this is
   */
  public LedgerOverflow(KafkaSettings kafka, FleetDefinition fleet, String group, String worker) {
    this.kafka = kafka;
    this.fleet = fleet;
    this.group = group;
    ThreadPoolExecutor one =
        new ThreadPoolExecutor(
            1,
            1,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(WAITING_MAX), // one for each partition at most
            run -> {
              Thread made = new Thread(run, "sluice-ledger-" + worker);
              made.setDaemon(true);
              return made;
            });
    one.allowCoreThreadTimeOut(true);
    this.thread = one;
  }

  /** Whether records can be written, as far as is known. */
  boolean works() {
    lock.lock();
    try {
      return !brokenOnce || SystemClock.INSTANCE.nanos() - brokenUntilNanos >= 0;
    } finally {
      lock.unlock();
    }
  }

  /** Whether no record of that partition is on its way. */
  boolean idle(PartitionState partition) {
    lock.lock();
    try {
      Write write = writes.get(LoopState.idOf(partition));
      return write == null || write.partition != partition || write.written != null;
    } finally {
      lock.unlock();
    }
  }

  /** Writes a snapshot, without waiting. */
  void write(PartitionState partition, LedgerSnapshot full) {
    Write write = new Write(partition);
    lock.lock();
    try {
      writes.put(LoopState.idOf(partition), write);
    } finally {
      lock.unlock();
    }
    try {
      thread.execute(() -> run(write, full));
    } catch (RejectedExecutionException e) { // closed, or more partitions than anybody has
      lock.lock();
      try {
        writes.remove(LoopState.idOf(partition), write);
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  private void run(Write write, LedgerSnapshot full) {
    LedgerSnapshot written = null;
    try {
      ensure();
      written = send(open(), write.partition, full);
    } catch (RuntimeException e) {
      failed(e);
    }
    lock.lock();
    try {
      if (written == null) {
        writes.remove(LoopState.idOf(write.partition), write);
      } else {
        write.written = written;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void failed(RuntimeException e) {
    lock.lock();
    try {
      brokenOnce = true;
      brokenUntilNanos = SystemClock.INSTANCE.nanos() + BROKEN_NANOS;
    } finally {
      lock.unlock();
    }
    LOG.warn(
        "Progress that does not fit into the commit metadata cannot be written to {}: after a crash"
            + " more runs again, and the partition may wait with LEDGER_FULL. Tried again in {} s: {}",
        fleet.ledgerTopic(),
        TimeUnit.NANOSECONDS.toSeconds(BROKEN_NANOS),
        e.toString());
  }

  /** Takes the snapshot that refers to the last record that was acknowledged; null if none was. */
  @Nullable LedgerSnapshot take(PartitionState partition) {
    lock.lock();
    try {
      Write write = writes.get(LoopState.idOf(partition));
      if (write == null || write.partition != partition || write.written == null) {
        return null;
      }
      writes.remove(LoopState.idOf(partition));
      return write.written;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for what is being written, and takes it; null if it is not there in time. */
  @Nullable LedgerSnapshot await(PartitionState partition, long nanos) {
    lock.lock();
    try {
      long left = nanos;
      while (left > 0) {
        Write write = writes.get(LoopState.idOf(partition));
        if (write == null || write.written != null) {
          break;
        }
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    } finally {
      lock.unlock();
    }
    return take(partition);
  }

  /** Creates the topic if it is not there. */
  void ensure() {
    lock.lock();
    try {
      if (ensured) {
        return;
      }
    } finally {
      lock.unlock();
    }
    try (Topics topics = new Topics(kafka, TIMEOUT)) {
      int replicas = fleet.replicationFactor();
      if (replicas == 0) {
        replicas = Math.min(SAFE_REPLICAS, topics.brokers());
      }
      topics.ensure(
          Map.of(fleet.ledgerTopic(), PARTITIONS),
          (short) replicas,
          Map.of(
              "cleanup.policy",
              "compact",
              "min.insync.replicas",
              replicas >= SAFE_REPLICAS ? "2" : "1"));
    }
    lock.lock();
    try {
      ensured = true;
    } finally {
      lock.unlock();
    }
  }

  private KafkaProducer<byte[], byte[]> open() {
    lock.lock();
    try {
      KafkaProducer<byte[], byte[]> known = producer;
      if (known == null) {
        known = new KafkaProducer<>(kafka.producer());
        producer = known;
      }
      return known;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Writes a snapshot with a producer of the caller's, and waits for the acknowledgement.
   *
   * @return the snapshot to commit, which refers to it
   */
  LedgerSnapshot send(
      KafkaProducer<byte[], byte[]> with, PartitionState partition, LedgerSnapshot full) {
    byte[] gaps = full.metadata().getBytes(US_ASCII);
    byte[] value =
        ByteBuffer.allocate(Long.BYTES + gaps.length).putLong(full.position()).put(gaps).array();
    try {
      RecordMetadata there =
          with.send(
                  new ProducerRecord<>(
                      fleet.ledgerTopic(), key(partition.topic(), partition.partition()), value))
              .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      String metadata =
          new LedgerReference(there.partition(), there.offset()).metadata(full.position());
      return new LedgerSnapshot(full.position(), metadata, full.covered(), full.complete());
    } catch (ExecutionException | TimeoutException e) {
      throw new SluiceException(
          "The record was not acknowledged: "
              + (e.getCause() == null ? e.toString() : e.getCause().getMessage()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SluiceException("Interrupted while a record was written", e);
    }
  }

  private byte[] key(String topic, int partition) {
    return ("progress/" + group + "/" + topic + "/" + partition).getBytes(UTF_8);
  }

  /**
   * Reads what commit metadata refers to: what is done from the committed position on. Empty if it
   * is not there any more, or not readable.
   */
  Optional<DoneRanges> read(TopicPartition id, long position, LedgerReference reference) {
    byte[] key = key(id.topic(), id.partition());
    TopicPartition ledger = new TopicPartition(fleet.ledgerTopic(), reference.partition());
    Optional<DoneRanges> last = Optional.empty();
    Map<String, Object> settings = kafka.consumer(group);
    settings.remove("group.instance.id");
    settings.remove("client.id");
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings)) {
      consumer.assign(List.of(ledger));
      consumer.seek(ledger, reference.offset());
      long end = consumer.endOffsets(List.of(ledger), TIMEOUT).getOrDefault(ledger, 0L);
      long deadline = SystemClock.INSTANCE.nanos() + TIMEOUT.toNanos();
      while (consumer.position(ledger, TIMEOUT) < end
          && deadline - SystemClock.INSTANCE.nanos() > 0) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          if (Arrays.equals(record.key(), key)) {
            Optional<DoneRanges> found = decode(record.value(), position);
            last = found.isPresent() ? found : last;
          }
        }
      }
    } catch (KafkaException e) {
      LOG.warn("What is done of {} cannot be read from {}: {}", id, ledger, e.toString());
    }
    return last;
  }

  private static Optional<DoneRanges> decode(byte @Nullable [] value, long position) {
    if (value == null || value.length < Long.BYTES) {
      return Optional.empty();
    }
    long from = ByteBuffer.wrap(value).getLong();
    String gaps = new String(value, Long.BYTES, value.length - Long.BYTES, US_ASCII);
    return from < position
        ? Optional.empty()
        : LedgerCodec.decode(from, gaps).map(done -> done.behind(position, from));
  }

  @Override
  public void close() {
    thread.shutdownNow();
    KafkaProducer<byte[], byte[]> open;
    lock.lock();
    try {
      open = producer;
      producer = null;
    } finally {
      lock.unlock();
    }
    if (open != null) {
      open.close(Duration.ofMillis(500));
    }
  }
}
