// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import dev.sluice.Effects;
import dev.sluice.OnRetry;
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
  String retryTopic;
  OnRetry onRetry;
  Duration handover;
  int uncommitted;
  Duration commitInterval;
  int partitions;
  Effects effects;
  DedupeDefinition dedupe;
  CapacityDefinition capacity;
  PrioritiesDefinition priorities;
  TenantsDefinition tenants;
  ChildrenDefinition children;
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
    retryTopic = of.retryTopic();
    onRetry = of.onRetry();
    handover = of.handover();
    uncommitted = of.uncommitted();
    commitInterval = of.commitInterval();
    partitions = of.partitions();
    effects = of.effects();
    dedupe = of.dedupe();
    capacity = of.capacity();
    priorities = of.priorities();
    tenants = of.tenants();
    children = of.children();
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
        retryTopic,
        onRetry,
        handover,
        uncommitted,
        commitInterval,
        partitions,
        effects,
        dedupe,
        capacity,
        priorities,
        tenants,
        children,
        fleet,
        handlers);
  }
}
