// SPDX-License-Identifier: Apache-2.0
package dev.sluice.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.TaskResult;
import java.time.Instant;
import java.util.Locale;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * How a task ended, as a record for whoever asked: its key is the task's id, its value what the
 * handler gave, and the rest are headers. Thread-safe.
 */
public final class ResultCodec {
  /** Where results go by default: the name of the queue and this. */
  public static final String TOPIC_SUFFIX = ".results";

  private static final int TOPIC_CHARS_MAX = 249;
  private static final int MESSAGE_CHARS_MAX = 1_000;

  private ResultCodec() {}

  /**
   * Whether a worker writes results to a topic of that name: a task must not be able to have a
   * worker write just anywhere with its rights.
   */
  public static boolean isResultTopic(String name) {
    return name.length() <= TOPIC_CHARS_MAX
        && (name.endsWith(TOPIC_SUFFIX) || name.contains(TOPIC_SUFFIX + "."))
        && !name.startsWith(".")
        && name.chars()
            .allMatch(
                c ->
                    c >= 'a' && c <= 'z'
                        || c >= 'A' && c <= 'Z'
                        || c >= '0' && c <= '9'
                        || c == '.'
                        || c == '_'
                        || c == '-');
  }

  /**
   * The record that tells of an end.
   *
   * @param topic where it goes
   * @param attempts how many were made
   * @param value what the handler gave; null if nothing
   * @param contentType the media type of the value
   * @param errorType the class of what the handler threw last; null if it threw nothing
   * @param errorMessage what that said
   * @param epochMillis the present time
   */
  public static ProducerRecord<byte[], byte[]> toRecord(
      String topic,
      String id,
      TaskResult.Outcome outcome,
      int attempts,
      byte @Nullable [] value,
      @Nullable String contentType,
      @Nullable String errorType,
      @Nullable String errorMessage,
      long epochMillis) {
    RecordHeaders headers = new RecordHeaders();
    headers.add(TaskCodec.header(TaskHeaders.ID, id));
    headers.add(TaskCodec.header(TaskHeaders.TIME, Instant.ofEpochMilli(epochMillis).toString()));
    headers.add(TaskCodec.header(TaskHeaders.OUTCOME, outcome.name().toLowerCase(Locale.ROOT)));
    headers.add(TaskCodec.header(TaskHeaders.ATTEMPT, Integer.toString(attempts)));
    if (contentType != null) {
      headers.add(TaskCodec.header(TaskHeaders.CONTENT_TYPE, contentType));
    }
    if (errorType != null) {
      headers.add(TaskCodec.header(TaskHeaders.ERROR_TYPE, errorType));
      String message = String.valueOf(errorMessage);
      headers.add(
          TaskCodec.header(
              TaskHeaders.ERROR_MESSAGE,
              message.length() <= MESSAGE_CHARS_MAX
                  ? message
                  : message.substring(0, MESSAGE_CHARS_MAX - 1) + "…"));
    }
    return new ProducerRecord<>(topic, null, id.getBytes(UTF_8), value, headers);
  }

  /** The id of the task that a record tells of; null if it is no result. */
  public static @Nullable String id(ConsumerRecord<byte[], byte[]> record) {
    byte[] id = TaskCodec.givenId(record);
    return id == null || record.headers().lastHeader(TaskHeaders.OUTCOME) == null
        ? null
        : new String(id, UTF_8);
  }

  /** What a record says; null if it is no result, or of an outcome that is not known here. */
  public static @Nullable TaskResult read(
      ConsumerRecord<byte[], byte[]> record, PayloadCodec codec) {
    String id = id(record);
    Headers headers = record.headers();
    TaskResult.Outcome outcome = outcome(TaskCodec.text(headers, TaskHeaders.OUTCOME));
    if (id == null || outcome == null) {
      return null;
    }
    return new TaskResult(
        id,
        outcome,
        TaskCodec.count(headers, TaskHeaders.ATTEMPT, 0),
        TaskCodec.payload(record),
        codec::decode,
        TaskCodec.text(headers, TaskHeaders.ERROR_TYPE),
        TaskCodec.text(headers, TaskHeaders.ERROR_MESSAGE));
  }

  private static TaskResult.@Nullable Outcome outcome(@Nullable String text) {
    for (TaskResult.Outcome outcome : TaskResult.Outcome.values()) {
      if (outcome.name().toLowerCase(Locale.ROOT).equals(text)) {
        return outcome;
      }
    }
    return null;
  }
}
