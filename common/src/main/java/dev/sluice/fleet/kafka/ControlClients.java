// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.kafka;

import dev.sluice.kafka.KafkaSettings;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The Kafka clients of the control topics: small buffers, short time-outs. */
final class ControlClients {
  private static final int BUFFER_BYTES = 8 << 20;

  private ControlClients() {}

  /**
   * @param lingerMillis how long a record waits for others: a coordinator writes one to each
   *     partition at a time, and sends them in one request
   */
  static KafkaProducer<byte[], byte[]> producer(
      KafkaSettings kafka, String clientId, int lingerMillis) {
    Map<String, Object> properties = kafka.producer();
    properties.keySet().removeIf(name -> name.equals("transactional.id"));
    properties.put("client.id", clientId);
    properties.put("linger.ms", Integer.toString(lingerMillis));
    properties.put("max.block.ms", "1000");
    properties.put("request.timeout.ms", "2000");
    properties.put("delivery.timeout.ms", "4000");
    properties.put("max.request.size", Integer.toString(1 << 20));
    properties.put("buffer.memory", Integer.toString(BUFFER_BYTES));
    properties.put("reconnect.backoff.max.ms", "500");
    return new KafkaProducer<>(properties);
  }

  /**
   * @param waitMillis how long a broker may keep a fetch that finds nothing; other partitions of
   *     that broker wait meanwhile if they are asked for anew
   */
  static KafkaConsumer<byte[], byte[]> consumer(
      KafkaSettings kafka, String clientId, int waitMillis) {
    Map<String, Object> properties = kafka.admin();
    properties.keySet().removeIf(name -> name.equals("group.id"));
    properties.put("client.id", clientId);
    properties.put("key.deserializer", ByteArrayDeserializer.class);
    properties.put("value.deserializer", ByteArrayDeserializer.class);
    properties.put("enable.auto.commit", "false");
    properties.put("auto.offset.reset", "none");
    properties.put("allow.auto.create.topics", "false");
    properties.put("max.poll.records", "2000");
    properties.put("fetch.max.bytes", Integer.toString(4 << 20));
    properties.put("max.partition.fetch.bytes", Integer.toString(1 << 20));
    properties.put("fetch.max.wait.ms", Integer.toString(waitMillis));
    properties.put("request.timeout.ms", "5000");
    properties.put("default.api.timeout.ms", "5000");
    properties.put("metadata.max.age.ms", "10000");
    properties.put("reconnect.backoff.max.ms", "500");
    return new KafkaConsumer<>(properties);
  }
}
