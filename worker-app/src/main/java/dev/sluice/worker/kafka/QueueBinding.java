// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.OnRetry;
import dev.sluice.Order;
import dev.sluice.queue.ChildrenDefinition;
import dev.sluice.queue.DedupeDefinition;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.time.Clock;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import dev.sluice.worker.engine.QueueState;
import dev.sluice.worker.fleet.CancelWishes;
import dev.sluice.worker.fleet.ChildRoom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** A queue as the rim runs it: its topic, and which handler takes which type. Immutable. */
public final class QueueBinding {
  /** A shorter wait is over before the task would be back. */
  private static final long LONG_WAIT_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** A shelved task costs a tenth of a small one, or less. */
  private static final int SHELF_PER_LANE = 10;

  private final String worker;
  private final Clock clock;
  private final QueueState state;
  private final String topic;
  private final Order order;
  private final String defaultType;
  private final String deadLetterTopic;
  private final String retryTopic;
  private final OnRetry onRetry;
  private final int laneCapacity;
  private final int uncommittedMax;
  private final DedupeDefinition dedupe;
  private final ChildTasks children;
  private final ChildrenDefinition childrenMost;
  private final ChildRoom room;
  private final CancelWishes wishes;
  private final @Nullable HandlerBinding any;
  private final HandlerBinding unknownType;
  private final byte[][] types;
  private final HandlerBinding[] handlers;

  /**
   * @param worker the name of the worker
   * @param clock tells when attempts showed a sign of life
   * @param childrenMost what tasks of it may submit
   * @param room for what they submit into it
   * @param wishes which tasks are not to run
   * @param any takes the types that no other handler takes; null if these are dead letters
   * @param unknownType takes them then, and fails them
   * @param byType the handlers of named types
   */
  public QueueBinding(
      String worker,
      Clock clock,
      QueueState state,
      String topic,
      Order order,
      String defaultType,
      String deadLetterTopic,
      String retryTopic,
      OnRetry onRetry,
      int laneCapacity,
      int uncommittedMax,
      DedupeDefinition dedupe,
      ChildTasks children,
      ChildrenDefinition childrenMost,
      ChildRoom room,
      CancelWishes wishes,
      @Nullable HandlerBinding any,
      HandlerBinding unknownType,
      Map<String, HandlerBinding> byType) {
    this.worker = worker;
    this.clock = clock;
    this.state = state;
    this.topic = topic;
    this.order = order;
    this.defaultType = defaultType;
    this.deadLetterTopic = deadLetterTopic;
    this.retryTopic = retryTopic;
    this.onRetry = onRetry;
    this.laneCapacity = laneCapacity;
    this.uncommittedMax = uncommittedMax;
    this.dedupe = dedupe;
    this.children = children;
    this.childrenMost = childrenMost;
    this.room = room;
    this.wishes = wishes;
    this.any = any;
    this.unknownType = unknownType;
    this.types = byType.keySet().stream().map(t -> t.getBytes(UTF_8)).toArray(byte[][]::new);
    this.handlers = byType.values().toArray(HandlerBinding[]::new);
  }

  /** The handler of a record. */
  HandlerBinding handlerOf(ConsumerRecord<byte[], byte[]> record) {
    if (types.length > 0) {
      Header header = record.headers().lastHeader(TaskHeaders.TYPE);
      byte[] type =
          header == null || header.value() == null || header.value().length == 0
              ? defaultType.getBytes(UTF_8)
              : header.value();
      for (int i = 0; i < types.length; i++) {
        if (Arrays.equals(types[i], type)) {
          return handlers[i];
        }
      }
    }
    return any == null ? unknownType : any;
  }

  String worker() {
    return worker;
  }

  Clock clock() {
    return clock;
  }

  QueueState state() {
    return state;
  }

  /** The topic of the queue. */
  public String topic() {
    return topic;
  }

  Order order() {
    return order;
  }

  String name() {
    return state.name();
  }

  String defaultType() {
    return defaultType;
  }

  String deadLetterTopic() {
    return deadLetterTopic;
  }

  String retryTopic() {
    return retryTopic;
  }

  /** Whether tasks come back through the retry topic. */
  public boolean letsPass() {
    return onRetry == OnRetry.LET_PASS;
  }

  /** Whether a task that waits so long leaves its place. */
  boolean letsPass(long nanos) {
    return letsPass() && nanos >= LONG_WAIT_NANOS;
  }

  /** The topics that are read for it. */
  List<String> topics() {
    List<String> topics = new ArrayList<>(PrioritiesDefinition.topics(topic, state.levels()));
    if (letsPass()) {
      topics.add(retryTopic);
    }
    return topics;
  }

  int laneCapacity() {
    return laneCapacity;
  }

  /** The most tasks of a partition whose records are left in the log while their keys wait. */
  int shelfCapacity() {
    return order == Order.KEY && !letsPass() ? SHELF_PER_LANE * laneCapacity : 0;
  }

  /** How urgent the tasks of a topic of it are; of the retry topic, which has all kinds, 0. */
  int levelOf(String ofTopic) {
    for (int level = state.levels() - 1; level > 0; level--) {
      if (ofTopic.equals(PrioritiesDefinition.topic(topic, level))) {
        return level;
      }
    }
    return 0;
  }

  /** How urgent the task in a record is. */
  int priorityOf(ConsumerRecord<byte[], byte[]> record) {
    if (state.levels() == 1) {
      return 0;
    }
    return record.topic().equals(retryTopic)
        ? Math.min(TaskCodec.priority(record.headers()), state.levels() - 1)
        : levelOf(record.topic());
  }

  /**
   * Which tasks of its topics are duplicates; those that come back through the retry topic are not.
   */
  DedupeDefinition dedupe(String ofTopic) {
    return ofTopic.equals(retryTopic) ? DedupeDefinition.NONE : dedupe;
  }

  ChildTasks children() {
    return children;
  }

  ChildrenDefinition childrenMost() {
    return childrenMost;
  }

  ChildRoom room() {
    return room;
  }

  CancelWishes wishes() {
    return wishes;
  }

  /** Whether a topic is one that its tasks come in by. */
  boolean isOwn(String someTopic) {
    return someTopic.equals(topic) || levelOf(someTopic) > 0;
  }

  int uncommittedMax() {
    return uncommittedMax;
  }
}
