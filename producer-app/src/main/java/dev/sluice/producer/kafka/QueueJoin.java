// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.kafka;

import dev.sluice.SluiceException;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;

/**
 * Waits until everything that is in some topics has ended: until their group has committed all
 * offsets that the topics had at the beginning. A committed offset says that everything below it
 * has ended, whatever was done above it.
 */
public final class QueueJoin implements AutoCloseable {
  private static final long REQUEST_MILLIS = 10_000;
  private static final long LOOK_MILLIS_MIN = 20;
  private static final long LOOK_MILLIS_MAX = 500;

  private final Admin admin;
  private final Clock clock;
  private final CountDownLatch never = new CountDownLatch(1);

  public QueueJoin(KafkaSettings kafka, Clock clock) {
    Map<String, Object> properties = kafka.admin();
    properties.putIfAbsent("request.timeout.ms", "5000");
    properties.putIfAbsent("default.api.timeout.ms", Long.toString(REQUEST_MILLIS));
    this.admin = Admin.create(properties);
    this.clock = clock;
  }

  /**
   * Waits.
   *
   * @param topics of the queue
   * @param group that works them
   * @return false if the time was up
   * @throws SluiceException if the brokers do not answer
   */
  public boolean await(List<String> topics, String group, long maxWaitNanos)
      throws InterruptedException {
    long start = clock.nanos();
    Map<TopicPartition, Long> open = unfinished(topics);
    long look = LOOK_MILLIS_MIN;
    while (true) {
      Map<TopicPartition, OffsetAndMetadata> done = committed(group);
      open.entrySet()
          .removeIf(
              end -> {
                OffsetAndMetadata offset = done.get(end.getKey());
                return offset != null && offset.offset() >= end.getValue();
              });
      if (open.isEmpty()) {
        return true;
      }
      long left =
          maxWaitNanos == Long.MAX_VALUE ? Long.MAX_VALUE : maxWaitNanos - (clock.nanos() - start);
      if (left <= 0) {
        return false;
      }
      boolean ignored =
          never.await(Math.min(left, TimeUnit.MILLISECONDS.toNanos(look)), TimeUnit.NANOSECONDS);
      look = Math.min(LOOK_MILLIS_MAX, look * 2);
    }
  }

  /** The ends of those partitions that have something in them. */
  private Map<TopicPartition, Long> unfinished(List<String> topics) {
    Map<String, TopicDescription> described =
        get(
            admin.describeTopics(topics).allTopicNames(),
            "Topics " + topics + " cannot be described");
    Map<TopicPartition, OffsetSpec> first = new HashMap<>();
    Map<TopicPartition, OffsetSpec> last = new HashMap<>();
    for (TopicDescription topic : described.values()) {
      topic
          .partitions()
          .forEach(
              partition -> {
                TopicPartition id = new TopicPartition(topic.name(), partition.partition());
                first.put(id, OffsetSpec.earliest());
                last.put(id, OffsetSpec.latest());
              });
    }
    Map<TopicPartition, Long> begins = offsets(first);
    Map<TopicPartition, Long> ends = offsets(last);
    ends.entrySet()
        .removeIf(end -> end.getValue() <= begins.getOrDefault(end.getKey(), Long.MAX_VALUE));
    return ends;
  }

  private Map<TopicPartition, Long> offsets(Map<TopicPartition, OffsetSpec> specs) {
    Map<TopicPartition, ListOffsetsResultInfo> found =
        get(
            admin.listOffsets(specs, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all(),
            "The offsets of " + specs.keySet() + " are not known");
    Map<TopicPartition, Long> offsets = new HashMap<>();
    found.forEach((id, info) -> offsets.put(id, info.offset()));
    return offsets;
  }

  private Map<TopicPartition, OffsetAndMetadata> committed(String group) {
    return get(
        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(),
        "What group " + group + " has committed is not known");
  }

  private static <T> T get(KafkaFuture<T> future, String what) {
    try {
      return future.get(REQUEST_MILLIS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new SluiceException(what + ": " + cause.getMessage(), cause);
    } catch (TimeoutException e) {
      throw new SluiceException(what + ": no broker answers", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SluiceException(what + ": interrupted", e);
    }
  }

  @Override
  public void close() {
    admin.close(Duration.ofSeconds(1));
  }
}
