// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.parallelconsumer;

import dev.sluice.benchmarks.subject.Options;
import dev.sluice.benchmarks.subject.Subject;
import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.CommitMode;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.ParallelStreamProcessor;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Parallel Consumer with asynchronous commits, its default; {@code order} is {@code KEY}, {@code
 * PARTITION} or {@code UNORDERED}. {@code max.poll.records} is raised, as its documentation says.
 */
public final class ParallelConsumerLoop {
  private ParallelConsumerLoop() {}

  /** Runs until its tasks are done. */
  public static void main(String[] args) {
    Options options = Options.of(args);
    Subject subject = new Subject(options);
    KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers", options.bootstrap(),
                "group.id", options.group(),
                "auto.offset.reset", "earliest",
                "enable.auto.commit", "false",
                "max.poll.records", options.integer("poll", 2_000)),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    ParallelStreamProcessor<byte[], byte[]> processor =
        ParallelStreamProcessor.createEosStreamProcessor(
            ParallelConsumerOptions.<byte[], byte[]>builder()
                .consumer(consumer)
                .ordering(ProcessingOrder.valueOf(options.text("order", "KEY")))
                .maxConcurrency(options.concurrency())
                .commitMode(CommitMode.PERIODIC_CONSUMER_ASYNCHRONOUS)
                .commitInterval(Duration.ofMillis(options.integer("commit", 5_000)))
                .build());
    processor.subscribe(List.of(options.topic()));
    processor.poll(
        context -> {
          var record = context.getSingleConsumerRecord();
          subject.task(record.partition(), record.offset(), record.key(), record.value());
        });
  }
}
