// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.spring;

import dev.sluice.benchmarks.subject.Options;
import dev.sluice.benchmarks.subject.Subject;
import java.util.Map;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.MessageListener;

/**
 * A listener container with {@code members} consumers, which is at most one per partition; the
 * commits are its default, one per batch.
 */
public final class SpringLoop {
  private SpringLoop() {}

  /** Runs until its tasks are done. */
  public static void main(String[] args) {
    Options options = Options.of(args);
    Subject subject = new Subject(options);
    ContainerProperties properties = new ContainerProperties(options.topic());
    properties.setMessageListener(
        (MessageListener<byte[], byte[]>)
            record ->
                subject.task(record.partition(), record.offset(), record.key(), record.value()));
    ConcurrentMessageListenerContainer<byte[], byte[]> container =
        new ConcurrentMessageListenerContainer<>(
            new DefaultKafkaConsumerFactory<>(
                Map.of(
                    "bootstrap.servers", options.bootstrap(),
                    "group.id", options.group(),
                    "auto.offset.reset", "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer()),
            properties);
    container.setConcurrency(options.integer("members", 12));
    container.start();
  }
}
