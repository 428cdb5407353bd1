// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.process;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.history.HistoryEvent;
import dev.sluice.history.HistoryWriter;
import dev.sluice.time.SystemClock;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Publishes plain records, with keys of a seeded Zipf distribution, and writes the history of a
 * producer. Its threads are the caller's; closing waits for what was sent.
 */
public final class Load implements AutoCloseable {
  private static final int KEYS = 1_000;

  private final KafkaProducer<byte[], byte[]> producer;
  private final HistoryWriter history;
  private final String topic;
  private final byte[][] keys = new byte[KEYS][];
  private final byte[] payload;
  private final Zipf zipf = new Zipf(KEYS, 1.0);
  private final SplittableRandom random;
  private final AtomicLong accepted = new AtomicLong();
  private IntSupplier partition = () -> -1;
  private final AtomicLong unknown = new AtomicLong();

  /**
   * @param history the file to write
   * @param payloadBytes the size of each task
   * @param seed of the keys
   */
  public Load(String bootstrap, String topic, Path history, int payloadBytes, long seed) {
    this.topic = topic;
    this.history = HistoryWriter.ofProducer(history, SystemClock.INSTANCE);
    this.random = new SplittableRandom(seed);
    this.payload = new byte[payloadBytes];
    Arrays.fill(payload, (byte) 'x');
    for (int i = 0; i < KEYS; i++) {
      keys[i] = ("key-" + i).getBytes(UTF_8);
    }
    this.producer =
        new KafkaProducer<>(
            Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrap,
                ProducerConfig.ACKS_CONFIG,
                "all",
                ProducerConfig.LINGER_MS_CONFIG,
                5,
                ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
                120_000,
                ProducerConfig.BATCH_SIZE_CONFIG,
                64 * 1024),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  /** From now on tasks without a key of the caller's go where this says. */
  public Load to(IntSupplier partitions) {
    this.partition = partitions;
    return this;
  }

  /** Sends so many tasks as fast as the brokers take them, and waits for their fates. */
  public void send(long tasks) {
    for (long i = 0; i < tasks; i++) {
      sendOne();
    }
    producer.flush();
  }

  /** Sends so many tasks per second until told to stop, and waits for their fates. */
  public void sendPaced(int perSecond, BooleanSupplier stop) {
    long begin = SystemClock.INSTANCE.nanos();
    long sent = 0;
    while (!stop.getAsBoolean()) {
      long due = (SystemClock.INSTANCE.nanos() - begin) / 1_000 * perSecond / 1_000_000;
      for (; sent < due; sent++) {
        sendOne();
      }
      LockSupport.parkNanos(1_000_000);
    }
    producer.flush();
  }

  private void sendOne() {
    send(keys[zipf.next(random)], payload, partition.getAsInt());
  }

  /** Sends one task of the caller's. */
  public void send(byte[] key, byte[] value) {
    send(key, value, -1);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // the callback is told of the same outcome
  private void send(byte[] key, byte[] value, int to) {
    producer.send(
        new ProducerRecord<>(topic, to < 0 ? null : to, key, value),
        (metadata, failure) -> {
          if (failure == null) {
            accepted.incrementAndGet();
            String id = topic + "/" + metadata.partition() + "/" + metadata.offset();
            history.submitted(
                HistoryEvent.ACCEPTED, id, key, metadata.partition(), metadata.offset());
          } else {
            String id = topic + "/unknown/" + unknown.incrementAndGet();
            history.submitted(HistoryEvent.UNKNOWN, id, key, -1, -1);
          }
        });
  }

  /** Waits until the fate of everything sent is known. */
  public void flush() {
    producer.flush();
  }

  /** How many tasks were accepted so far. */
  public long accepted() {
    return accepted.get();
  }

  @Override
  public void close() {
    producer.close();
    history.close();
  }
}
