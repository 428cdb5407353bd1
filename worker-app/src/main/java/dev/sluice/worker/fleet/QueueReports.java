// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.fleet.PartitionReport;
import dev.sluice.fleet.QueueReport;
import dev.sluice.flow.pause.PauseReason;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.worker.engine.EngineSnapshot.PartitionView;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What a worker says of its queues. */
final class QueueReports {
  /** Beyond this, what is said of partitions would not fit into a record. */
  private static final int PARTITIONS_MAX = 4_000;

  private QueueReports() {}

  static List<QueueReport> of(List<QueueDefinition> queues, List<? extends WorkedGroup> groups) {
    Map<String, List<PartitionReport>> byTopic = new HashMap<>();
    int count = 0;
    for (WorkedGroup group : groups) {
      for (PartitionView view : group.snapshot().partitions()) {
        if (count++ < PARTITIONS_MAX) {
          byTopic.computeIfAbsent(view.topic(), q -> new ArrayList<>()).add(report(view));
        }
      }
    }
    List<QueueReport> reports = new ArrayList<>();
    for (QueueDefinition queue : queues) {
      List<String> topics = new ArrayList<>(queue.topics());
      topics.add(queue.retryTopic());
      for (String topic : topics) {
        List<PartitionReport> partitions = byTopic.getOrDefault(topic, List.of());
        // The first one is said of without partitions, too: this worker works the queue.
        if (!partitions.isEmpty() || topic.equals(queue.topic())) {
          reports.add(new QueueReport(queue.name(), topic, queue.group(), partitions));
        }
      }
    }
    return reports;
  }

  private static PartitionReport report(PartitionView view) {
    Map<String, Long> reasons = new HashMap<>();
    view.heldNanos().forEach((reason, nanos) -> put(reasons, reason, nanos));
    view.pausedNanos().forEach((reason, nanos) -> put(reasons, reason, nanos));
    return new PartitionReport(
        view.partition(), view.position(), view.laneDepth(), view.running(), view.ready(), reasons);
  }

  private static void put(Map<String, Long> reasons, PauseReason reason, long nanos) {
    reasons.merge(reason.name(), TimeUnit.NANOSECONDS.toMillis(nanos), Math::max);
  }
}
