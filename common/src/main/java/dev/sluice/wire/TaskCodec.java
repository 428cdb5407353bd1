// SPDX-License-Identifier: Apache-2.0
package dev.sluice.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.Task;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * Task to Kafka record and back, in CloudEvents binary mode. Reading never fails: any record is a
 * task. Thread-safe; it keeps the headers that it made last, which are the same for many tasks.
 */
public final class TaskCodec {
  private static final Header SPEC_1_0 = header(TaskHeaders.SPEC_VERSION, "1.0");
  private static final HeaderMemo TYPES = new HeaderMemo(TaskHeaders.TYPE);
  private static final HeaderMemo SOURCES = new HeaderMemo(TaskHeaders.SOURCE);
  private static final HeaderMemo CONTENT_TYPES = new HeaderMemo(TaskHeaders.CONTENT_TYPE);
  private static final byte[] NOTHING = new byte[0];
  private static final Set<String> OWN =
      Set.of(
          TaskHeaders.SPEC_VERSION,
          TaskHeaders.ID,
          TaskHeaders.TYPE,
          TaskHeaders.SOURCE,
          TaskHeaders.TIME,
          TaskHeaders.CONTENT_TYPE);

  private static volatile @Nullable Time lastTime;

  private record Time(long epochMillis, Header header) {}

  private TaskCodec() {}

  /**
   * The record of a task.
   *
   * @param task with its payload encoded and its id drawn
   * @param topic where it goes
   * @param contentType the media type of the payload
   * @param source the CloudEvents source, a URI reference that names the producer
   * @param epochMillis the present time
   */
  public static ProducerRecord<byte[], byte[]> toRecord(
      Task<byte[]> task, String topic, String contentType, String source, long epochMillis) {
    String id = task.id();
    if (id == null) {
      throw new IllegalArgumentException(task + " has no id; draw one before it is encoded");
    }
    RecordHeaders headers = new RecordHeaders();
    headers.add(SPEC_1_0);
    headers.add(header(TaskHeaders.ID, id));
    headers.add(TYPES.of(task.type()));
    headers.add(SOURCES.of(source));
    headers.add(time(epochMillis));
    headers.add(CONTENT_TYPES.of(contentType));
    task.headers()
        .forEach(
            (name, value) -> {
              if (!OWN.contains(name)) {
                headers.add(header(name, value));
              }
            });
    return new ProducerRecord<>(topic, null, task.key(), task.payload(), headers);
  }

  /** Many tasks are of one millisecond, and its text costs more than all the other headers. */
  private static Header time(long epochMillis) {
    Time last = lastTime;
    if (last == null || last.epochMillis() != epochMillis) {
      String text = Instant.ofEpochMilli(epochMillis).toString();
      last = new Time(epochMillis, header(TaskHeaders.TIME, text));
      lastTime = last;
    }
    return last.header();
  }

  /** One header of UTF-8 text. */
  public static Header header(String name, String value) {
    return new RecordHeader(name, value.getBytes(UTF_8));
  }

  /** The last header of that name as text, or null. */
  public static @Nullable String text(Headers headers, String name) {
    Header header = headers.lastHeader(name);
    return header == null || header.value() == null ? null : new String(header.value(), UTF_8);
  }

  /** The id of the task in a record: {@code ce_id}, or else {@code topic/partition/offset}. */
  public static String id(ConsumerRecord<byte[], byte[]> record) {
    String id = text(record.headers(), TaskHeaders.ID);
    return id == null || id.isEmpty() ? origin(record) : id;
  }

  /** The id that a record says its task has, as it is there; null if it says none. */
  public static byte @Nullable [] givenId(ConsumerRecord<byte[], byte[]> record) {
    Header header = record.headers().lastHeader(TaskHeaders.ID);
    byte[] id = header == null ? null : header.value();
    return id == null || id.length == 0 ? null : id;
  }

  /**
   * The partition for a task without a key whose id its submitter chose: the same each time, so
   * that a second task of that id can be told from the first.
   */
  public static int partitionOf(String id, int partitions) {
    return Utils.toPositive(Utils.murmur2(id.getBytes(UTF_8))) % partitions;
  }

  /** {@code topic/partition/offset} of a record. */
  public static String origin(ConsumerRecord<byte[], byte[]> record) {
    return record.topic() + "/" + record.partition() + "/" + record.offset();
  }

  /** The type of the task in a record: {@code ce_type}, or else the default. */
  public static String type(ConsumerRecord<byte[], byte[]> record, String defaultType) {
    String type = text(record.headers(), TaskHeaders.TYPE);
    return type == null || type.isEmpty() ? defaultType : type;
  }

  /** The attempt that a record says it is: {@code sluice-attempt}, or 1 where that is no number. */
  public static int attempt(ConsumerRecord<byte[], byte[]> record) {
    return Math.max(1, count(record.headers(), TaskHeaders.ATTEMPT, 1));
  }

  /** How many tasks are above one, as its record says: {@code sluice-depth}, or 0. */
  public static int depth(Headers headers) {
    return Math.max(0, count(headers, TaskHeaders.DEPTH, 0));
  }

  /** How urgent a record says its task is: {@code sluice-priority}, or 0. */
  public static int priority(Headers headers) {
    return Math.max(0, count(headers, TaskHeaders.PRIORITY, 0));
  }

  /** The number in a header; the other one where there is none, or what is there is no number. */
  static int count(Headers headers, String name, int otherwise) {
    String text = text(headers, name);
    try {
      return text == null ? otherwise : Integer.parseInt(text);
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  /**
   * When the task in a record is no longer worth running, in epoch milliseconds: {@code
   * sluice-deadline}, or {@link Long#MAX_VALUE} where it has none or that is no number.
   */
  public static long deadlineMillis(ConsumerRecord<byte[], byte[]> record) {
    return millis(record.headers(), TaskHeaders.DEADLINE, Long.MAX_VALUE);
  }

  /**
   * Before when a task is not to run, in epoch milliseconds: {@code sluice-not-before}, or {@link
   * Long#MIN_VALUE} where it has none or that is no number.
   */
  public static long notBeforeMillis(Headers headers) {
    return millis(headers, TaskHeaders.NOT_BEFORE, Long.MIN_VALUE);
  }

  private static long millis(Headers headers, String name, long otherwise) {
    String text = text(headers, name);
    if (text == null) {
      return otherwise;
    }
    try {
      return Long.parseLong(text.trim());
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  /** The payload of the task in a record: its value, or no bytes where it has none. */
  public static byte[] payload(ConsumerRecord<byte[], byte[]> record) {
    byte[] value = record.value();
    return value == null ? NOTHING : value;
  }

  /**
   * The headers of the task in a record, beyond those that Sluice sets itself. Its content type is
   * among them, because a handler that passes the payload on has to say what it is.
   */
  public static Map<String, String> headers(ConsumerRecord<byte[], byte[]> record) {
    Map<String, String> found = new LinkedHashMap<>();
    for (Header header : record.headers()) {
      boolean kept = !OWN.contains(header.key()) || header.key().equals(TaskHeaders.CONTENT_TYPE);
      if (kept && header.value() != null) {
        found.put(header.key(), new String(header.value(), UTF_8));
      }
    }
    return Collections.unmodifiableMap(found);
  }
}
