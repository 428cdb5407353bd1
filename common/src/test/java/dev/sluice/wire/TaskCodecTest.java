// SPDX-License-Identifier: Apache-2.0
package dev.sluice.wire;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.sluice.Task;
import dev.sluice.testing.Seeds;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class TaskCodecTest {
  private static ConsumerRecord<byte[], byte[]> read(
      byte[] key, byte[] value, RecordHeaders headers) {
    return new ConsumerRecord<>(
        "t", 3, 42, 0, TimestampType.CREATE_TIME, 0, 0, key, value, headers, Optional.empty());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  @Test
  void aTaskSurvivesItsWayThroughARecord() {
    Seeds.each(
        200,
        random -> {
          byte[] payload = new byte[random.nextInt(100)];
          random.nextBytes(payload);
          byte[] key = random.nextBoolean() ? null : new byte[] {1, (byte) random.nextInt()};
          Task<byte[]> task =
              Task.of("q", "typ\u00e9-" + random.nextInt(), payload)
                  .key(key)
                  .id("id-" + random.nextInt())
                  .header("traceparent", "00-\u2713-" + random.nextInt());
          ProducerRecord<byte[], byte[]> record =
              TaskCodec.toRecord(task, "t", "application/json", "me", 1_700_000_000_000L);
          ConsumerRecord<byte[], byte[]> back =
              read(record.key(), record.value(), new RecordHeaders(record.headers()));
          assertThat(TaskCodec.id(back)).isEqualTo(task.id());
          assertThat(TaskCodec.type(back, "?")).isEqualTo(task.type());
          assertThat(back.key()).isEqualTo(key);
          assertThat(TaskCodec.payload(back)).isEqualTo(payload);
          assertThat(TaskCodec.headers(back))
              .containsAllEntriesOf(task.headers())
              .containsEntry("content-type", "application/json")
              .hasSize(2);
        });
  }

  @Test
  void writesCloudEventsInBinaryMode() {
    ProducerRecord<byte[], byte[]> record =
        TaskCodec.toRecord(
            Task.of("q", "ship", bytes("{}")).id("i").header("ce_id", "forged"),
            "t",
            "application/json",
            "shop",
            0);
    Map<String, String> expected =
        Map.of(
            "ce_specversion", "1.0",
            "ce_id", "i",
            "ce_type", "ship",
            "ce_source", "shop",
            "ce_time", "1970-01-01T00:00:00Z",
            "content-type", "application/json");
    assertThat(record.headers()).hasSize(expected.size());
    expected.forEach(
        (name, value) -> assertThat(TaskCodec.text(record.headers(), name)).isEqualTo(value));
  }

  @Test
  void aDeadlineIsATimeAndAnythingElseIsNone() {
    Task<byte[]> task = Task.of("q", "t", bytes("{}")).id("i");
    assertThat(deadline(task)).isEqualTo(Long.MAX_VALUE);
    assertThat(deadline(task.deadline(Instant.ofEpochMilli(1_700_000_000_123L))))
        .isEqualTo(1_700_000_000_123L);
    assertThat(deadline(task.header("sluice-deadline", "tomorrow"))).isEqualTo(Long.MAX_VALUE);
    assertThat(deadline(task.header("sluice-deadline", ""))).isEqualTo(Long.MAX_VALUE);
  }

  private static long deadline(Task<byte[]> task) {
    ProducerRecord<byte[], byte[]> record =
        TaskCodec.toRecord(task, "t", "application/json", "me", 0);
    return TaskCodec.deadlineMillis(
        read(null, record.value(), new RecordHeaders(record.headers())));
  }

  @Test
  void aTaskWithoutAnIdIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TaskCodec.toRecord(Task.of("q", "x", new byte[0]), "t", "c", "s", 0))
        .withMessageContaining("no id");
  }

  @Test
  void anyForeignRecordIsATask() {
    RecordHeaders headers = new RecordHeaders();
    headers.add("binary", new byte[] {(byte) 0xff, 0});
    headers.add("none", null);
    headers.add("ce_type", null);
    headers.add("ce_id", new byte[0]);
    headers.add("sluice-attempt", bytes("many"));
    ConsumerRecord<byte[], byte[]> record = read(null, null, headers);
    assertThat(TaskCodec.id(record)).isEqualTo("t/3/42");
    assertThat(TaskCodec.type(record, "standard")).isEqualTo("standard");
    assertThat(TaskCodec.payload(record)).isEmpty();
    assertThat(TaskCodec.headers(record)).containsOnlyKeys("binary", "sluice-attempt");
    assertThat(TaskCodec.attempt(record)).isEqualTo(1);
  }

  @Test
  void attemptIsReadFromItsHeaderAndAtLeastOne() {
    RecordHeaders headers = new RecordHeaders();
    headers.add(TaskCodec.header("sluice-attempt", "4"));
    assertThat(TaskCodec.attempt(read(null, null, headers))).isEqualTo(4);
    headers.add(TaskCodec.header("sluice-attempt", "-4"));
    assertThat(TaskCodec.attempt(read(null, null, headers))).isEqualTo(1);
  }
}
