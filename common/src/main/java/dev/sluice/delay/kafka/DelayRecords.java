// SPDX-License-Identifier: Apache-2.0
package dev.sluice.delay.kafka;

import dev.sluice.flow.delay.DelayLevels;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/** Tasks on their way through the delay topics. Thread-safe. */
public final class DelayRecords {
  private DelayRecords() {}

  /**
   * The record that makes a task wait.
   *
   * @param task as it is to come out in its topic
   * @param dueMillis when, in epoch milliseconds
   */
  public static ProducerRecord<byte[], byte[]> enter(
      ProducerRecord<byte[], byte[]> task,
      String id,
      long dueMillis,
      long nowMillis,
      DelayTopics topics,
      int shards) {
    Headers headers = new RecordHeaders(task.headers());
    headers.remove(TaskHeaders.NOT_BEFORE);
    headers.add(TaskCodec.header(TaskHeaders.NOT_BEFORE, Long.toString(dueMillis)));
    headers.remove(TaskHeaders.DELIVER_TO);
    headers.add(TaskCodec.header(TaskHeaders.DELIVER_TO, task.topic()));
    String topic = topics.level(DelayLevels.of(dueMillis - nowMillis));
    int shard = DelayTopics.shardOf(id, shards);
    return new ProducerRecord<>(topic, shard, null, task.key(), task.value(), headers);
  }

  /** The record for the next level of a task that is not due yet. */
  public static ProducerRecord<byte[], byte[]> next(
      ConsumerRecord<byte[], byte[]> waiting, int level, DelayTopics topics) {
    return new ProducerRecord<>(
        topics.level(level),
        waiting.partition(),
        null,
        waiting.key(),
        waiting.value(),
        waiting.headers());
  }

  /**
   * The task as it comes out, in the topic that it was for; where its id says if it has no key.
   *
   * @param partitions how many that topic has
   */
  public static ProducerRecord<byte[], byte[]> leave(
      ConsumerRecord<byte[], byte[]> waiting, String topic, int partitions) {
    Headers headers = new RecordHeaders(waiting.headers());
    headers.remove(TaskHeaders.DELIVER_TO);
    Integer partition =
        waiting.key() == null ? TaskCodec.partitionOf(TaskCodec.id(waiting), partitions) : null;
    return new ProducerRecord<>(topic, partition, waiting.key(), waiting.value(), headers);
  }

  /** Where a task that waits is to come out; null if the record says nothing of it. */
  public static @Nullable String deliverTo(ConsumerRecord<byte[], byte[]> waiting) {
    String topic = TaskCodec.text(waiting.headers(), TaskHeaders.DELIVER_TO);
    return topic == null || topic.isEmpty() ? null : topic;
  }

  /** What it costs in memory, about. */
  public static int bytes(ConsumerRecord<byte[], byte[]> waiting) {
    return 512
        + Math.max(0, waiting.serializedKeySize())
        + Math.max(0, waiting.serializedValueSize());
  }
}
