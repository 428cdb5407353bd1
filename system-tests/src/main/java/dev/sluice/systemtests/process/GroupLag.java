// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.process;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** How far a group is behind the end of a topic, as the brokers know it. Thread-safe. */
public final class GroupLag {
  private final Admin admin;
  private final String group;
  private final String topic;
  private final int partitions;

  /**
   * @param admin used, not closed
   * @param partitions how many the topic has
   */
  public GroupLag(Admin admin, String group, String topic, int partitions) {
    this.admin = admin;
    this.group = group;
    this.topic = topic;
    this.partitions = partitions;
  }

  /**
   * The sum over all partitions of the end minus the committed offset.
   *
   * @throws HarnessException if the brokers do not answer within 30 s
   */
  public long total() {
    Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
    for (int i = 0; i < partitions; i++) {
      ends.put(new TopicPartition(topic, i), OffsetSpec.latest());
    }
    try {
      Map<TopicPartition, OffsetAndMetadata> committed =
          admin
              .listConsumerGroupOffsets(group)
              .partitionsToOffsetAndMetadata()
              .get(30, TimeUnit.SECONDS);
      Map<TopicPartition, ListOffsetsResult.ListOffsetsResultInfo> found =
          admin.listOffsets(ends).all().get(30, TimeUnit.SECONDS);
      long lag = 0;
      for (Map.Entry<TopicPartition, ListOffsetsResult.ListOffsetsResultInfo> end :
          found.entrySet()) {
        OffsetAndMetadata done = committed.get(end.getKey());
        lag += end.getValue().offset() - (done == null ? 0 : done.offset());
      }
      return lag;
    } catch (ExecutionException | TimeoutException e) {
      throw new HarnessException("The lag of group " + group + " cannot be read", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HarnessException("Interrupted while the lag of " + group + " was read", e);
    }
  }
}
