// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import dev.sluice.benchmarks.subject.Bytes;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.systemtests.process.Zipf;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** Fills topics with tasks of 200 bytes whose keys are numbers of four bytes. */
final class Loader implements AutoCloseable {
  private static final int PAYLOAD_BYTES = 200;
  private static final long SEED = 20261121;

  /**
   * What a topic is filled with.
   *
   * @param keys how many keys there are
   * @param exponent of their Zipf distribution; 0 is uniform
   */
  record Keys(int keys, double exponent) {
    static final Keys UNIFORM = new Keys(100_000, 0);

    /** Zipf(1.1) over a thousand keys: the hottest has a sixth of all tasks. */
    static final Keys ZIPF = new Keys(1_000, 1.1);
  }

  private final String bootstrap;
  private final KafkaProducer<byte[], byte[]> bulk;
  private final Map<String, Long> filled = new HashMap<>();

  Loader(String bootstrap) {
    this.bootstrap = bootstrap;
    this.bulk = producer(5, 64 * 1024);
  }

  private KafkaProducer<byte[], byte[]> producer(int lingerMillis, int batchBytes) {
    return new KafkaProducer<>(
        Map.of(
            "bootstrap.servers", bootstrap,
            "acks", "all",
            "linger.ms", lingerMillis,
            "batch.size", batchBytes),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  /** Makes a topic; nothing where it is there. */
  String topic(String name, int partitions) {
    try (Topics topics =
        new Topics(KafkaSettings.of(bootstrap, Map.of()), Duration.ofSeconds(30))) {
      topics.ensure(Map.of(name, partitions));
    }
    return name;
  }

  /** A topic with that many tasks; filled once, however often it is asked for. */
  String filled(String name, int partitions, long tasks, Keys keys) {
    String topic = name + "-" + partitions + "-" + tasks;
    if (filled.putIfAbsent(topic, tasks) == null) {
      topic(topic, partitions);
      fill(topic, tasks, keys, null);
    }
    return topic;
  }

  /**
   * Appends tasks.
   *
   * @param eachKey told of each key, or null
   */
  void fill(String topic, long tasks, Keys keys, @Nullable LongConsumer eachKey) {
    SplittableRandom random = new SplittableRandom(SEED);
    Zipf zipf = new Zipf(keys.keys(), keys.exponent());
    byte[] payload = new byte[PAYLOAD_BYTES];
    for (long i = 0; i < tasks; i++) {
      int key = keys.exponent() == 0 ? random.nextInt(keys.keys()) : zipf.next(random);
      if (eachKey != null) {
        eachKey.accept(key);
      }
      send(bulk, topic, key, payload);
    }
    bulk.flush();
  }

  /** One task whose payload begins with that number. */
  void one(String topic, int key, int number) {
    byte[] payload = new byte[PAYLOAD_BYTES];
    Bytes.putInt(payload, 0, number);
    send(bulk, topic, key, payload);
  }

  void flush() {
    bulk.flush();
  }

  @SuppressWarnings("FutureReturnValueIgnored") // what is missing is missed by the consumers
  private static void send(
      KafkaProducer<byte[], byte[]> producer, String topic, int key, byte[] payload) {
    byte[] bytes = new byte[4];
    Bytes.putInt(bytes, 0, key);
    producer.send(new ProducerRecord<>(topic, bytes, payload));
  }

  /**
   * An open loop: so many tasks per second, each with the time it was to be sent at, whether the
   * system keeps up or not. The times are those of the monotonic clock, which the processes of one
   * machine share on Linux.
   *
   * @param stop ends it
   */
  void paced(String topic, int perSecond, long tasks, BooleanSupplier stop) {
    try (KafkaProducer<byte[], byte[]> paced = producer(0, 16 * 1024)) {
      SplittableRandom random = new SplittableRandom(SEED);
      long begin = System.nanoTime();
      long sent = 0;
      while (sent < tasks && !stop.getAsBoolean()) {
        long due = Math.min(tasks, (System.nanoTime() - begin) / 1_000 * perSecond / 1_000_000);
        for (; sent < due; sent++) {
          byte[] payload = new byte[PAYLOAD_BYTES];
          Bytes.putLong(payload, 0, begin + sent * 1_000_000_000L / perSecond);
          Bytes.putLong(payload, 8, sent);
          send(paced, topic, random.nextInt(Keys.UNIFORM.keys()), payload);
        }
        LockSupport.parkNanos(200_000);
      }
      paced.flush();
    }
  }

  @Override
  public void close() {
    bulk.close();
  }
}
