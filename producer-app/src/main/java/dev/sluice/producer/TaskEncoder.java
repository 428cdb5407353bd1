// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.PermanentTaskException;
import dev.sluice.Task;
import dev.sluice.TaskIds;
import dev.sluice.producer.TaskRefusedException.Reason;
import dev.sluice.time.Clock;
import dev.sluice.wire.PayloadCodec;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Makes records of tasks: draws the id, finds the topic, encodes the payload. Thread-safe. */
final class TaskEncoder {
  /** The names of our headers, their framing, the UUID, the time: rounded up. */
  private static final int HEADERS_BYTES = 256;

  private static final int UTF8_BYTES_PER_CHAR_MAX = 3;

  private final PayloadCodec codec;
  private final Map<String, String> topics;
  private final PriorityLevels levels;
  private final String source;
  private final TaskIds ids;
  private final Clock clock;

  /**
   * A task that is ready to be sent.
   *
   * @param bytes what it takes of the bytes in flight
   * @param delayed whether the record is for the delay topics
   */
  record Encoded(String id, ProducerRecord<byte[], byte[]> record, long bytes, boolean delayed) {}

  TaskEncoder(
      PayloadCodec codec,
      Map<String, String> topics,
      PriorityLevels levels,
      String source,
      RandomGenerator random,
      Clock clock) {
    this.codec = codec;
    this.topics = topics;
    this.levels = levels;
    this.source = source;
    this.ids = new TaskIds(random);
    this.clock = clock;
  }

  /** Where the tasks of a queue go. */
  String topicOf(String queue) {
    return topics.isEmpty() ? queue : topics.getOrDefault(queue, queue);
  }

  /** The topics of the tasks of a queue, as far as they are known. */
  List<String> topicsOf(String queue) {
    return levels.topics(queue, topicOf(queue));
  }

  /** The task with an id. */
  <T> Task<T> identified(Task<T> task) {
    return task.id() == null ? task.id(ids.next(clock.epochMillis())) : task;
  }

  /**
   * The record of a task that has an id.
   *
   * @throws TaskRefusedException if the payload cannot be encoded, or its queue does not have its
   *     priority
   */
  Encoded encode(Task<?> task, String id) {
    byte[] payload;
    try {
      payload = codec.encode(task.payload());
    } catch (PermanentTaskException e) {
      throw new TaskRefusedException(
          Reason.INVALID, "Task " + id + " was not published: " + e.getMessage(), e);
    }
    // A caller that hands over bytes may say what they are.
    Map<String, String> headers = task.headers();
    String given = headers.isEmpty() ? null : headers.get(TaskHeaders.CONTENT_TYPE);
    String contentType = given == null ? codec.contentType(task.payload()) : given;
    String topic = levels.topic(task, topicOf(task.queue()));
    ProducerRecord<byte[], byte[]> record =
        TaskCodec.toRecord(task.payload(payload), topic, contentType, source, clock.epochMillis());
    return new Encoded(id, record, size(task, payload.length, id), false);
  }

  private long size(Task<?> task, int payloadBytes, String id) {
    byte[] key = task.key();
    long chars = (long) id.length() + task.type().length() + source.length();
    for (Map.Entry<String, String> header : task.headers().entrySet()) {
      chars += header.getKey().length() + header.getValue().length();
    }
    return HEADERS_BYTES
        + payloadBytes
        + (key == null ? 0 : key.length)
        + UTF8_BYTES_PER_CHAR_MAX * chars;
  }
}
