// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.PermanentTaskException;
import dev.sluice.SluiceException;
import dev.sluice.Task;
import dev.sluice.TaskResult;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.time.Clock;
import dev.sluice.wire.PayloadCodec;
import dev.sluice.wire.ResultCodec;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes records of the tasks that handlers submit, and of what tells submitters how theirs ended.
 * Thread-safe.
 */
public final class ChildTasks {
  private static final Logger LOG = LoggerFactory.getLogger(ChildTasks.class);
  private static final List<String> TRACE = List.of("traceparent", "tracestate", "baggage");
  private static final int KNOWN_MAX = 10_000;
  private static final int REFUSED_MAX = 1_000;
  private static final long REFUSED_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final int RESULT_OVERHEAD = 4_096;
  private static final int TOPIC_CHARS_SHOWN = 249;
  private static final long LONGEST_MILLIS = Duration.ofDays(365).toMillis();

  private final PayloadCodec codec;
  private final Map<String, String> topics;
  private final String source;
  private final Predicate<String> exists;
  private final Predicate<String> batchIsOver;
  private final DelayRoute delays;
  private final int recordBytesMax;
  private final Clock clock;
  private final Set<String> known = ConcurrentHashMap.newKeySet();

  /** Topics that results do not go to, and until when that is not looked at again. */
  private final Map<String, Long> refused = new ConcurrentHashMap<>();

  /**
   * @param topics of the queues whose topics have other names
   * @param source the CloudEvents source of the tasks
   * @param exists whether a topic does; may block
   * @param batchIsOver whether all tasks of a batch have ended; may block
   * @param recordBytesMax the most that the client takes in one request
   */
  public ChildTasks(
      PayloadCodec codec,
      Map<String, String> topics,
      String source,
      Predicate<String> exists,
      Predicate<String> batchIsOver,
      DelayRoute delays,
      int recordBytesMax,
      Clock clock) {
    this.codec = codec;
    this.topics = Map.copyOf(topics);
    this.source = source;
    this.exists = exists;
    this.batchIsOver = batchIsOver;
    this.delays = delays;
    this.recordBytesMax = recordBytesMax;
    this.clock = clock;
  }

  /** Whether all tasks of a batch have ended. May block for some seconds; false if nobody knows. */
  boolean batchIsOver(String batch) {
    try {
      return batchIsOver.test(batch);
    } catch (SluiceException e) {
      LOG.warn("Whether batch {} is over cannot be found out now: {}", batch, e.getMessage());
      return false;
    }
  }

  /**
   * The record of a task that is submitted by another one.
   *
   * @param number of it among those of the same parent, from 1
   * @throws PermanentTaskException if it can never be published
   */
  ProducerRecord<byte[], byte[]> record(RecordRun parent, Task<?> child, int number) {
    byte[] payload = codec.encode(child.payload());
    String given = child.id();
    String id = given == null ? parent.id() + "." + number : given;
    Task<byte[]> task = child.id(id).payload(payload);
    for (String name : TRACE) {
      String value = TaskCodec.text(parent.record.headers(), name);
      if (value != null && !task.headers().containsKey(name)) {
        task = task.header(name, value);
      }
    }
    String batch = parent.batch();
    if (batch != null && !task.headers().containsKey(TaskHeaders.BATCH)) {
      task = task.header(TaskHeaders.BATCH, batch);
    }
    String tenant = TaskCodec.text(parent.record.headers(), TaskHeaders.TENANT);
    if (tenant != null && !task.headers().containsKey(TaskHeaders.TENANT)) {
      task = task.header(TaskHeaders.TENANT, tenant);
    }
    if (parent.priority() > 0
        && task.queue().equals(parent.queue.name())
        && !task.headers().containsKey(TaskHeaders.PRIORITY)) {
      task = task.header(TaskHeaders.PRIORITY, Integer.toString(parent.priority()));
    }
    int depth = parent.depth();
    if (depth > parent.queue.childrenMost().maxDepth()) {
      throw new PermanentTaskException(
          "Task "
              + parent.id()
              + " submits one of generation "
              + depth
              + ", and queue "
              + parent.queue.name()
              + " has at most "
              + parent.queue.childrenMost().maxDepth()
              + " (maxDepth). A chain without an end looks like this; raise maxDepth if it has one");
    }
    task = task.header(TaskHeaders.DEPTH, Integer.toString(depth));
    String topic = topicOf(task);
    check(id, task, topic, payload.length);
    String contentType =
        task.headers().getOrDefault(TaskHeaders.CONTENT_TYPE, codec.contentType(child.payload()));
    long now = clock.epochMillis();
    ProducerRecord<byte[], byte[]> record =
        TaskCodec.toRecord(task, topic, contentType, source, now);
    long due = TaskCodec.notBeforeMillis(record.headers());
    return due <= now ? record : delays.enter(record, id, due - now);
  }

  private String topicOf(Task<?> task) {
    String topic = topics.getOrDefault(task.queue(), task.queue());
    String priority = task.headers().getOrDefault(TaskHeaders.PRIORITY, "0");
    try {
      return PrioritiesDefinition.topic(topic, Integer.parseInt(priority));
    } catch (NumberFormatException e) {
      throw new PermanentTaskException(
          "The submitted task for queue "
              + task.queue()
              + " has the priority '"
              + priority
              + "', which is no whole number",
          e);
    }
  }

  /**
   * The bytes of a result.
   *
   * @throws PermanentTaskException if it can never be published
   */
  byte[] result(String id, Object value) {
    byte[] bytes = codec.encode(value);
    if (bytes.length + RESULT_OVERHEAD > recordBytesMax) {
      throw new PermanentTaskException(
          "The result of task "
              + id
              + " has "
              + bytes.length
              + " bytes, and the client sends at most "
              + recordBytesMax
              + " (max.request.size). Give where the data is instead.");
    }
    return bytes;
  }

  String contentType(Object value) {
    return codec.contentType(value);
  }

  /**
   * What tells the submitter of a task how it ended; null if nobody asked, or where the answer
   * cannot go.
   *
   * @param failure what the handler threw last; null if nothing
   */
  @Nullable ProducerRecord<byte[], byte[]> reply(
      RecordRun run,
      TaskResult.Outcome outcome,
      int attempts,
      byte @Nullable [] result,
      @Nullable String contentType,
      @Nullable Throwable failure) {
    String topic = TaskCodec.text(run.record.headers(), TaskHeaders.REPLY_TO);
    if (topic == null || !mayReplyTo(topic)) {
      return null;
    }
    return ResultCodec.toRecord(
        topic,
        run.id(),
        outcome,
        attempts,
        result,
        contentType,
        failure == null ? null : failure.getClass().getName(),
        failure == null ? null : failure.getMessage(),
        clock.epochMillis());
  }

  private boolean mayReplyTo(String topic) {
    if (known.contains(topic)) {
      return true;
    }
    Long until = refused.get(topic);
    if (until != null && until - clock.nanos() > 0) {
      return false;
    }
    boolean isResultTopic = ResultCodec.isResultTopic(topic);
    boolean may = false;
    try {
      may = isResultTopic && exists.test(topic);
    } catch (SluiceException e) {
      LOG.warn("Whether topic {} exists cannot be found out: {}", topic, e.getMessage());
    }
    if (may) {
      remember(topic);
      return true;
    }
    LOG.warn(
        "Results that are asked for in topic '{}' are not told: {}",
        topic.length() > TOPIC_CHARS_SHOWN ? topic.substring(0, TOPIC_CHARS_SHOWN) : topic,
        isResultTopic
            ? "there is no such topic"
            : "results go to topics only whose names end with .results or contain .results.");
    if (refused.size() >= REFUSED_MAX) {
      refused.clear();
    }
    refused.put(topic, clock.nanos() + REFUSED_NANOS);
    return false;
  }

  private void remember(String topic) {
    if (known.size() >= KNOWN_MAX) {
      known.clear();
    }
    known.add(topic);
  }

  private void check(String id, Task<?> task, String topic, int payloadBytes) {
    if (bytes(task, payloadBytes) > recordBytesMax) {
      throw new PermanentTaskException(
          "The submitted task "
              + id
              + " has "
              + payloadBytes
              + " bytes, and the client sends at most "
              + recordBytesMax
              + " (max.request.size). Pass on where the data is instead.");
    }
    long due = notBefore(task);
    if (due - clock.epochMillis() > LONGEST_MILLIS) {
      throw new PermanentTaskException(
          "The submitted task " + id + " is to wait for more than a year");
    }
    if (!known.contains(topic)) {
      if (!exists.test(topic)) {
        throw new PermanentTaskException(
            "The submitted task " + id + " is for topic " + topic + ", which does not exist");
      }
      remember(topic);
    }
  }

  private static long notBefore(Task<?> task) {
    String text = task.headers().get(TaskHeaders.NOT_BEFORE);
    try {
      return text == null ? 0 : Long.parseLong(text.trim());
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /** About what its record takes, rounded up. */
  static long bytes(Task<?> task, int payloadBytes) {
    byte[] key = task.key();
    long bytes = 512L + payloadBytes + (key == null ? 0 : key.length) + 3L * task.type().length();
    for (Map.Entry<String, String> header : task.headers().entrySet()) {
      bytes += 8 + 3L * (header.getKey().length() + header.getValue().length());
    }
    return bytes;
  }

  /** About what a record takes of the memory of its parent. */
  static long bytes(ProducerRecord<byte[], byte[]> record) {
    long bytes = 256;
    Headers headers = record.headers();
    for (org.apache.kafka.common.header.Header header : headers) {
      bytes += header.key().length() + (header.value() == null ? 0 : header.value().length);
    }
    return bytes
        + (record.key() == null ? 0 : record.key().length)
        + (record.value() == null ? 0 : record.value().length);
  }
}
