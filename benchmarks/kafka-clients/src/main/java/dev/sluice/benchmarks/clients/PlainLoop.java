// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.clients;

import dev.sluice.benchmarks.subject.Options;
import dev.sluice.benchmarks.subject.Subject;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/** Poll, work, let the client commit now and then: what every other system is measured against. */
public final class PlainLoop {
  private PlainLoop() {}

  /** Runs until its tasks are done. */
  public static void main(String[] args) {
    Options options = Options.of(args);
    Subject subject = new Subject(options);
    Map<String, Object> commits =
        Map.of(
            "enable.auto.commit",
            "true",
            "auto.commit.interval.ms",
            options.integer("commit", 100));
    try (KafkaConsumer<byte[], byte[]> consumer = Consumers.of(options, commits)) {
      while (true) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
          subject.task(record.partition(), record.offset(), record.key(), record.value());
        }
      }
    }
  }
}
