// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import dev.sluice.ConfigException;
import dev.sluice.Effects;
import dev.sluice.OnRetry;
import dev.sluice.Order;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * A queue: its topic, its order and its bounds. Immutable; the {@code with} methods return a
 * changed copy.
 *
 * @param name of the queue: letters, digits, dot, dash, underscore
 * @param topic that holds its tasks; default the name
 * @param group the consumer group of its workers; default {@code sluice-} and the name
 * @param order what may not overlap; default KEY
 * @param concurrency tasks that one worker runs at once; 1 to 10,000, default 16
 * @param buffer tasks in the lane of one partition; 2 to 100,000, default 4,000
 * @param bufferBytes bytes of tasks that one worker holds; 1 MiB to 1 TiB, default 64 MiB
 * @param defaultType the type of records that name none; default the name of the queue
 * @param deadLetterTopic default {@code dlq.} and the topic
 * @param retryTopic through which tasks come back that let others pass; default the topic and
 *     {@code .retry}
 * @param onRetry what a task that waits for its next attempt does to those behind it; default
 *     {@link OnRetry#HOLD_KEY}
 * @param handover how long a hand-over or a stop waits for running tasks; 0 to 10 min, default 5 s
 * @param uncommitted completions per partition that no acknowledged commit covers; 10 to 1,000,000,
 *     default 20,000
 * @param commitInterval the longest that a completion waits for its commit; 5 ms to 1 min, default
 *     100 ms
 * @param partitions of the topic where Sluice creates it; 1 to 10,000, default 12
 * @param effects how tasks that handlers submit go together with the end of their own; default
 *     {@link Effects#AT_LEAST_ONCE}
 * @param dedupe which tasks are suppressed as duplicates; default none
 * @param capacity what producers may have in it; default no bound
 * @param priorities of its tasks; default one
 * @param tenants whether they are served in turns; default not
 * @param children what its tasks may submit
 * @param fleet limits that all its workers share; default none
 * @param handlers by task type; {@code *} takes every type that has none of its own
 */
public record QueueDefinition(
    String name,
    String topic,
    String group,
    Order order,
    int concurrency,
    int buffer,
    long bufferBytes,
    String defaultType,
    String deadLetterTopic,
    String retryTopic,
    OnRetry onRetry,
    Duration handover,
    int uncommitted,
    Duration commitInterval,
    int partitions,
    Effects effects,
    DedupeDefinition dedupe,
    CapacityDefinition capacity,
    PrioritiesDefinition priorities,
    TenantsDefinition tenants,
    ChildrenDefinition children,
    FleetLimitsDefinition fleet,
    Map<String, HandlerDefinition> handlers) {
  /** The type that stands for every other type. */
  public static final String ANY_TYPE = "*";

  private static final Pattern TOPIC = Pattern.compile("[A-Za-z0-9._-]{1,249}");

  public QueueDefinition {
    checkName("queue", name);
    checkName("topic", topic);
    checkName("deadLetterTopic", deadLetterTopic);
    checkName("retryTopic", retryTopic);
    if (group.isBlank()) {
      throw new ConfigException("group is empty; name a consumer group");
    }
    if (topic.equals(deadLetterTopic)) {
      throw new ConfigException(
          "topic and deadLetterTopic are both '" + topic + "'; dead letters would be worked again");
    }
    if (retryTopic.equals(topic) || retryTopic.equals(deadLetterTopic)) {
      throw new ConfigException(
          "retryTopic is '" + retryTopic + "', as topic or deadLetterTopic is; name another one");
    }
    if (PrioritiesDefinition.topics(topic, priorities.levels()).contains(retryTopic)) {
      throw new ConfigException(
          "retryTopic is '" + retryTopic + "', which is the topic of a priority; name another one");
    }
    Ranges.check("concurrency", concurrency, 1, 10_000);
    Ranges.check("buffer", buffer, 2, 100_000);
    Ranges.check("bufferBytes", bufferBytes, 1L << 20, 1L << 40);
    Ranges.check("handover", handover, Duration.ZERO, Duration.ofMinutes(10));
    Ranges.check("uncommitted", uncommitted, 10, 1_000_000);
    Ranges.check("commitInterval", commitInterval, Duration.ofMillis(5), Duration.ofMinutes(1));
    Ranges.check("partitions", partitions, 1, 10_000);
    handlers = Map.copyOf(handlers);
  }

  private static void checkName(String setting, String value) {
    if (!TOPIC.matcher(value).matches() || value.equals(".") || value.equals("..")) {
      throw new ConfigException(
          setting
              + " is '"
              + value
              + "'; it must be 1 to 249 letters, digits, dots, dashes or underscores");
    }
  }

  /** A queue of that name, with all defaults. */
  public static QueueDefinition named(String name) {
    return new QueueDefinition(
        name,
        name,
        "sluice-" + name,
        Order.KEY,
        16,
        4_000,
        64L << 20,
        name,
        "dlq." + name,
        name + ".retry",
        OnRetry.HOLD_KEY,
        Duration.ofSeconds(5),
        20_000,
        Duration.ofMillis(100),
        12,
        Effects.AT_LEAST_ONCE,
        DedupeDefinition.NONE,
        CapacityDefinition.NONE,
        PrioritiesDefinition.NONE,
        TenantsDefinition.NONE,
        ChildrenDefinition.DEFAULT,
        FleetLimitsDefinition.NONE,
        Map.of());
  }

  /** The same with another order. */
  public QueueDefinition withOrder(Order other) {
    return copy(c -> c.order = other);
  }

  /** The same with another choice of what a task that waits does to those behind it. */
  public QueueDefinition withOnRetry(OnRetry other) {
    return copy(c -> c.onRetry = other);
  }

  /** The same with another topic, and dead letters and retries beside it. */
  public QueueDefinition withTopic(String other) {
    return copy(
        c -> {
          c.topic = other;
          c.deadLetterTopic = "dlq." + other;
          c.retryTopic = other + ".retry";
        });
  }

  /** The same with another consumer group. */
  public QueueDefinition withGroup(String other) {
    return copy(c -> c.group = other);
  }

  /** The same with another concurrency. */
  public QueueDefinition withConcurrency(int other) {
    return copy(c -> c.concurrency = other);
  }

  /** The same with other bounds of what is held in memory. */
  public QueueDefinition withBuffer(int tasks, long bytes) {
    return copy(
        c -> {
          c.buffer = tasks;
          c.bufferBytes = bytes;
        });
  }

  /** The same with another hand-over time. */
  public QueueDefinition withHandover(Duration other) {
    return copy(c -> c.handover = other);
  }

  /** The same with other bounds of what runs again after a crash. */
  public QueueDefinition withCommits(int uncommittedMax, Duration interval) {
    return copy(
        c -> {
          c.uncommitted = uncommittedMax;
          c.commitInterval = interval;
        });
  }

  /** The same with another choice of how what its handlers submit goes with their tasks. */
  public QueueDefinition withEffects(Effects other) {
    return copy(c -> c.effects = other);
  }

  /** The same with another choice of what is a duplicate. */
  public QueueDefinition withDedupe(DedupeDefinition other) {
    return copy(c -> c.dedupe = other);
  }

  /** The same with another bound of what producers may have in it. */
  public QueueDefinition withCapacity(CapacityDefinition other) {
    return copy(c -> c.capacity = other);
  }

  /** The same with other priorities. */
  public QueueDefinition withPriorities(PrioritiesDefinition other) {
    return copy(c -> c.priorities = other);
  }

  /** The same with another way to serve tenants. */
  public QueueDefinition withTenants(TenantsDefinition other) {
    return copy(c -> c.tenants = other);
  }

  /** The same with another choice of what its tasks may submit. */
  public QueueDefinition withChildren(ChildrenDefinition other) {
    return copy(c -> c.children = other);
  }

  /**
   * Refuses bounds that do not go together.
   *
   * @throws ConfigException which says what to change
   */
  public QueueDefinition checked() {
    if (children.counted()
        && capacity.tasks() > 0
        && capacity.tasks() + children.allowance() > buffer) {
      // A task behind those that wait for room has to be in the lane, or it could not make room.
      throw new ConfigException(
          "buffer of queue "
              + name
              + " is "
              + buffer
              + "; where its tasks wait for room for what they submit, it must be at least capacity"
              + " + maxDepth * maxChildren, which is "
              + (capacity.tasks() + children.allowance())
              + ". Raise buffer, or leave maxChildren out");
    }
    return this;
  }

  /** The topics of its tasks, by priority from 0 on. */
  public List<String> topics() {
    return PrioritiesDefinition.topics(topic, priorities.levels());
  }

  /** The same with other limits that all its workers share. */
  public QueueDefinition withFleet(FleetLimitsDefinition other) {
    return copy(c -> c.fleet = other);
  }

  /** The same with one more handler, or another one for that type. */
  public QueueDefinition withHandler(String type, HandlerDefinition handler) {
    Map<String, HandlerDefinition> more = new LinkedHashMap<>(handlers);
    more.put(type, handler);
    return copy(c -> c.handlers = more);
  }

  private QueueDefinition copy(Consumer<QueueCopy> change) {
    QueueCopy copy = new QueueCopy(this);
    change.accept(copy);
    return copy.build();
  }
}
