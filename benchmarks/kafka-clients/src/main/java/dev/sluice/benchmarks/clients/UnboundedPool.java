// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.clients;

import dev.sluice.benchmarks.subject.Options;
import dev.sluice.benchmarks.subject.Subject;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/**
 * The queue without {@code maxsize}: a poll loop that hands all it gets to a pool whose queue has
 * no bound, and commits what it has handed over. It keeps no order, its lag is always small, and
 * what it has not done is in its memory only.
 */
public final class UnboundedPool {
  private static final int OUT_OF_MEMORY = 3;

  private UnboundedPool() {}

  /** Runs until its tasks are done or its memory is used up. */
  public static void main(String[] args) {
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, failure) -> Runtime.getRuntime().halt(OUT_OF_MEMORY));
    Options options = Options.of(args);
    Subject subject = new Subject(options);
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            options.concurrency(),
            options.concurrency(),
            1,
            TimeUnit.MINUTES,
            new LinkedBlockingQueue<>());
    Map<String, Object> commits =
        Map.of("enable.auto.commit", "true", "auto.commit.interval.ms", 100);
    try (KafkaConsumer<byte[], byte[]> consumer = Consumers.of(options, commits)) {
      while (true) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
          pool.execute(
              () ->
                  subject.task(record.partition(), record.offset(), record.key(), record.value()));
        }
      }
    }
  }
}
