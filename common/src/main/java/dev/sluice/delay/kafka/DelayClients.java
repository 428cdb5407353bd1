// SPDX-License-Identifier: Apache-2.0
package dev.sluice.delay.kafka;

import dev.sluice.kafka.KafkaSettings;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The Kafka clients of the delay topics: bounded buffers, short time-outs. */
public final class DelayClients {
  private DelayClients() {}

  /**
   * Reads one shard of all levels.
   *
   * @param group under which it is committed how far they were served
   */
  public static KafkaConsumer<byte[], byte[]> shardConsumer(
      KafkaSettings kafka, String group, String clientId) {
    Map<String, Object> properties = consumer(kafka, clientId);
    properties.put("group.id", group);
    properties.put("auto.offset.reset", "earliest");
    properties.put("max.poll.records", "1000");
    properties.put("fetch.max.bytes", Integer.toString(2 << 20));
    properties.put("max.partition.fetch.bytes", Integer.toString(128 << 10));
    properties.put("fetch.max.wait.ms", "100");
    return new KafkaConsumer<>(properties);
  }

  /** Reads what is small and came last: beats, answers. */
  public static KafkaConsumer<byte[], byte[]> tail(KafkaSettings kafka, String clientId) {
    return tail(kafka, clientId, 500);
  }

  /**
   * The same, where a partition is sometimes looked through again.
   *
   * @param waitMillis how long a fetch waits on the broker, and such a partition for it
   */
  public static KafkaConsumer<byte[], byte[]> tail(
      KafkaSettings kafka, String clientId, int waitMillis) {
    Map<String, Object> properties = consumer(kafka, clientId);
    properties.put("auto.offset.reset", "latest");
    properties.put("max.poll.records", "2000");
    properties.put("fetch.max.bytes", Integer.toString(1 << 20));
    properties.put("fetch.max.wait.ms", Integer.toString(waitMillis));
    return new KafkaConsumer<>(properties);
  }

  private static Map<String, Object> consumer(KafkaSettings kafka, String clientId) {
    Map<String, Object> properties = kafka.admin();
    properties.keySet().removeIf(name -> name.equals("group.id"));
    properties.put("client.id", clientId);
    properties.put("key.deserializer", ByteArrayDeserializer.class);
    properties.put("value.deserializer", ByteArrayDeserializer.class);
    properties.put("isolation.level", "read_committed");
    properties.put("enable.auto.commit", "false");
    properties.put("allow.auto.create.topics", "false");
    properties.put("request.timeout.ms", "5000");
    properties.put("default.api.timeout.ms", "10000");
    properties.put("metadata.max.age.ms", "10000");
    properties.put("reconnect.backoff.max.ms", "500");
    return properties;
  }

  /**
   * Moves tasks of one shard in transactions.
   *
   * @param transactionalId fences whoever served the shard before
   */
  public static KafkaProducer<byte[], byte[]> shardProducer(
      KafkaSettings kafka, String transactionalId, String clientId) {
    Map<String, Object> properties = kafka.producer();
    properties.put("transactional.id", transactionalId);
    properties.put("transaction.timeout.ms", "10000");
    properties.put("retry.backoff.ms", "20"); // while the transaction of a predecessor ends
    properties.put("client.id", clientId);
    properties.put("linger.ms", "0");
    properties.put("batch.size", Integer.toString(64 << 10));
    properties.put("max.block.ms", "10000");
    properties.put("request.timeout.ms", "5000");
    properties.put("delivery.timeout.ms", "8000");
    properties.put("buffer.memory", Integer.toString(16 << 20));
    properties.put("reconnect.backoff.max.ms", "500");
    return new KafkaProducer<>(properties);
  }

  /** Writes what is small: beats, wishes. */
  public static KafkaProducer<byte[], byte[]> words(KafkaSettings kafka, String clientId) {
    Map<String, Object> properties = kafka.producer();
    properties.keySet().removeIf(name -> name.equals("transactional.id"));
    properties.put("client.id", clientId);
    properties.put("linger.ms", "0");
    properties.put("max.block.ms", "1000");
    properties.put("request.timeout.ms", "2000");
    properties.put("delivery.timeout.ms", "4000");
    properties.put("buffer.memory", Integer.toString(4 << 20));
    properties.put("reconnect.backoff.max.ms", "500");
    return new KafkaProducer<>(properties);
  }
}
