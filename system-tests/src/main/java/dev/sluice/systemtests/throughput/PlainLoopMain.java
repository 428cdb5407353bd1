// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.throughput;

import dev.sluice.cli.Commands;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * What a user without Sluice writes: poll, work, commit now and then. Arguments: bootstrap servers,
 * topic, group, tasks.
 */
public final class PlainLoopMain {
  private static final Duration COMMIT_INTERVAL = Duration.ofMillis(100);

  private PlainLoopMain() {}

  /** Consumes so many tasks and prints one line of figures. */
  public static void main(String[] args) throws InterruptedException {
    Commands.configureLogging(false);
    long tasks = Long.parseLong(args[3]);
    AtomicLong done = new AtomicLong();
    Thread loop = new Thread(() -> loop(args[0], args[1], args[2], tasks, done), "plain-loop");
    loop.start();
    Measurement.printWhenDone(tasks, done::get);
    loop.join();
  }

  private static void loop(
      String bootstrap, String topic, String group, long tasks, AtomicLong done) {
    Map<String, Object> properties =
        Map.of(
            "bootstrap.servers",
            bootstrap,
            "group.id",
            group,
            "enable.auto.commit",
            "true",
            "auto.commit.interval.ms",
            (int) COMMIT_INTERVAL.toMillis(),
            "auto.offset.reset",
            "earliest");
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(topic));
      long count = 0;
      while (count < tasks) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofSeconds(1));
        for (ConsumerRecord<byte[], byte[]> record : records) {
          work(record);
          count++;
        }
        done.set(count);
      }
    }
  }

  private static void work(ConsumerRecord<byte[], byte[]> record) {
    if (record.offset() < 0) {
      throw new IllegalStateException("offset " + record.offset());
    }
  }
}
