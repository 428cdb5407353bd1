// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.clients;

import dev.sluice.benchmarks.subject.Options;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Consumers of the new group protocol. */
final class Consumers {
  private Consumers() {}

  static KafkaConsumer<byte[], byte[]> of(Options options, Map<String, Object> more) {
    Map<String, Object> properties = new HashMap<>();
    properties.put("bootstrap.servers", options.bootstrap());
    properties.put("group.id", options.group());
    properties.put("group.protocol", options.text("protocol", "consumer"));
    properties.put("auto.offset.reset", "earliest");
    properties.put("max.poll.records", options.integer("poll", 500));
    properties.putAll(more);
    KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.subscribe(List.of(options.topic()));
    return consumer;
  }
}
