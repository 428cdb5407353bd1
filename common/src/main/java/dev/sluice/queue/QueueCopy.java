// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import dev.sluice.Order;
import java.time.Duration;
import java.util.Map;

/** The one place that copies a definition component by component. Lives within one call. */
final class QueueCopy {
  private final String name;
  String topic;
  String group;
  Order order;
  int concurrency;
  int buffer;
  long bufferBytes;
  String defaultType;
  String deadLetterTopic;
  Duration handover;
  int uncommitted;
  Duration commitInterval;
  int partitions;
  CapacityDefinition capacity;
  FleetLimitsDefinition fleet;
  Map<String, HandlerDefinition> handlers;

  QueueCopy(QueueDefinition of) {
    name = of.name();
    topic = of.topic();
    group = of.group();
    order = of.order();
    concurrency = of.concurrency();
    buffer = of.buffer();
    bufferBytes = of.bufferBytes();
    defaultType = of.defaultType();
    deadLetterTopic = of.deadLetterTopic();
    handover = of.handover();
    uncommitted = of.uncommitted();
    commitInterval = of.commitInterval();
    partitions = of.partitions();
    capacity = of.capacity();
    fleet = of.fleet();
    handlers = of.handlers();
  }

  QueueDefinition build() {
    return new QueueDefinition(
        name,
        topic,
        group,
        order,
        concurrency,
        buffer,
        bufferBytes,
        defaultType,
        deadLetterTopic,
        handover,
        uncommitted,
        commitInterval,
        partitions,
        capacity,
        fleet,
        handlers);
  }
}
