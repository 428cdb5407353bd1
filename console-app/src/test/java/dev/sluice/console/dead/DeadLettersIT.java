// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.dead;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.SluiceException;
import dev.sluice.console.dead.DeadLetters.Moved;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.localkafka.junit.KafkaBroker;
import dev.sluice.localkafka.junit.TestKafka;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.time.SystemClock;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

@KafkaBroker
class DeadLettersIT {
  private static final int PARTITIONS = 4;
  private static final LongConsumer QUIET = handled -> {};
  private static final String TIMEOUT = "java.util.concurrent.TimeoutException";
  private static final String ILLEGAL = "java.lang.IllegalStateException";

  private final TestKafka kafka;
  private final String queue;

  DeadLettersIT(TestKafka kafka) {
    this.kafka = kafka;
    this.queue = kafka.unique("dead");
    kafka.createTopic(queue, PARTITIONS);
  }

  private DeadLetters letters() {
    return DeadLetters.of(
            KafkaSettings.of(kafka.bootstrapServers()),
            QueueDefinition.named(queue),
            FleetDefinition.DEFAULT,
            SystemClock.INSTANCE)
        .orElseThrow();
  }

  /** Dead letters 0 to count - 1 of twenty keys; every tenth of them of a time-out. */
  private void die(int count) {
    kafka.createTopic("dlq." + queue, PARTITIONS);
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      for (int i = 0; i < count; i++) {
        var ignored =
            producer.send(
                record(
                    "dlq." + queue,
                    "key-" + i % 20,
                    Integer.toString(i).getBytes(UTF_8),
                    TaskCodec.header(TaskHeaders.ID, "task-" + i),
                    TaskCodec.header(TaskHeaders.TYPE, "t"),
                    TaskCodec.header("traceparent", "trace-" + i),
                    TaskCodec.header(TaskHeaders.ATTEMPT, "3"),
                    TaskCodec.header(TaskHeaders.ERROR_TYPE, i % 10 == 0 ? TIMEOUT : ILLEGAL),
                    TaskCodec.header(TaskHeaders.ERROR_ATTEMPTS, "3"),
                    TaskCodec.header(TaskHeaders.ERROR_STACK, "at nowhere")));
      }
    }
  }

  private KafkaProducer<byte[], byte[]> producer() {
    return new KafkaProducer<>(
        Map.of("bootstrap.servers", kafka.bootstrapServers()),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  private static ProducerRecord<byte[], byte[]> record(
      String topic, String key, byte @Nullable [] value, Header... headers) {
    return new ProducerRecord<>(
        topic, null, key.getBytes(UTF_8), value, new RecordHeaders(headers));
  }

  private RecordMetadata send(String topic, String key, byte @Nullable [] value, Header... headers)
      throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      return producer.send(record(topic, key, value, headers)).get();
    }
  }

  /** What workers would see in the queue. */
  private List<ConsumerRecord<byte[], byte[]>> queued() {
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers", kafka.bootstrapServers(), "isolation.level", "read_committed"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = partitions(queue);
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(id -> consumer.position(id) < ends.get(id))) {
        consumer.poll(Duration.ofMillis(100)).forEach(all::add);
      }
    }
    return all;
  }

  private static List<TopicPartition> partitions(String topic) {
    List<TopicPartition> partitions = new ArrayList<>();
    for (int i = 0; i < PARTITIONS; i++) {
      partitions.add(new TopicPartition(topic, i));
    }
    return partitions;
  }

  private static int number(ConsumerRecord<byte[], byte[]> record) {
    return Integer.parseInt(new String(record.value(), UTF_8));
  }

  private static long count(DeadLetters letters) {
    long[] count = {0};
    letters.forEach(letter -> ++count[0] > 0);
    return count[0];
  }

  private static DeadLetterFilter error(String type) {
    DeadLetterFilter all = DeadLetterFilter.ALL;
    return new DeadLetterFilter(
        all.type(),
        Optional.of(type),
        all.key(),
        all.sinceMillis(),
        all.untilMillis(),
        all.attemptsMin(),
        all.place());
  }

  @Test
  void eachIsRunOnceMoreInTheOrderOfItsKeyAndAsItWas() throws Exception {
    die(1_200);
    try (DeadLetters letters = letters()) {
      assertThat(count(letters)).isEqualTo(1_200);
      List<Long> told = new ArrayList<>();
      assertThat(letters.redrive(DeadLetterFilter.ALL, 0, Long.MAX_VALUE, told::add))
          .isEqualTo(new Moved(1_200, 0));
      assertThat(told).last().isEqualTo(1_200L);
      assertThat(count(letters)).isZero();
      assertThat(letters.redrive(DeadLetterFilter.ALL, 0, Long.MAX_VALUE, QUIET))
          .isEqualTo(new Moved(0, 0));
    }
    List<ConsumerRecord<byte[], byte[]>> queued = queued();
    assertThat(queued).extracting(DeadLettersIT::number).doesNotHaveDuplicates().hasSize(1_200);
    Map<String, Integer> last = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : queued) {
      Integer before = last.put(new String(record.key(), UTF_8), number(record));
      assertThat(before == null || before < number(record)).as("the order of a key").isTrue();
      assertThat(record.headers())
          .extracting(Header::key)
          .containsExactlyInAnyOrder(
              TaskHeaders.ID, TaskHeaders.TYPE, "traceparent", TaskHeaders.REDRIVEN);
    }
  }

  @Test
  void onlyWhatIsMeantIsHandledAndTheRestIsStillThere() throws Exception {
    die(100);
    try (DeadLetters letters = letters()) {
      assertThat(letters.redrive(error("TimeoutException"), 0, 4, QUIET))
          .isEqualTo(new Moved(4, 0));
      assertThat(letters.redrive(error(TIMEOUT), 0, Long.MAX_VALUE, QUIET))
          .isEqualTo(new Moved(6, 0));
      assertThat(letters.purge(error(ILLEGAL), 30, QUIET)).isEqualTo(new Moved(30, 0));
      assertThat(count(letters)).isEqualTo(60);
    }
    assertThat(queued()).hasSize(10).allMatch(record -> number(record) % 10 == 0);
  }

  @Test
  void aLaterCommandEndsAnEarlierOneAndNothingRunsTwice() throws Exception {
    die(1_500);
    try (DeadLetters first = letters();
        DeadLetters second = letters()) {
      List<Moved> moved = new ArrayList<>();
      LongConsumer startsTheOther =
          handled -> {
            if (moved.isEmpty()) {
              moved.add(second.redrive(DeadLetterFilter.ALL, 0, 700, QUIET));
            }
          };
      assertThatThrownBy(
              () -> first.redrive(DeadLetterFilter.ALL, 0, Long.MAX_VALUE, startsTheOther))
          .isInstanceOf(SluiceException.class)
          .hasMessageContaining("Another command");
      assertThat(moved).containsExactly(new Moved(700, 0));
      assertThat(queued()).extracting(DeadLettersIT::number).doesNotHaveDuplicates().hasSize(1_200);
      assertThat(first.redrive(DeadLetterFilter.ALL, 0, Long.MAX_VALUE, QUIET))
          .isEqualTo(new Moved(300, 0));
    }
    assertThat(queued()).extracting(DeadLettersIT::number).doesNotHaveDuplicates().hasSize(1_500);
  }

  @Test
  void whatIsPurgedFromTheBeginningIsDeleted() throws Exception {
    die(100);
    try (DeadLetters letters = letters()) {
      assertThat(letters.purge(DeadLetterFilter.ALL, Long.MAX_VALUE, QUIET))
          .isEqualTo(new Moved(100, 0));
      assertThat(count(letters)).isZero();
    }
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = partitions("dlq." + queue);
      assertThat(consumer.beginningOffsets(partitions)).isEqualTo(consumer.endOffsets(partitions));
    }
    assertThat(queued()).isEmpty();
  }

  @Test
  void aPayloadThatHadNoRoomComesFromTheRecordThatFailed() throws Exception {
    RecordMetadata failed = send(queue, "k", "77".getBytes(UTF_8));
    kafka.createTopic("dlq." + queue, PARTITIONS);
    String origin = queue + "/" + failed.partition() + "/" + failed.offset();
    send("dlq." + queue, "k", null, TaskCodec.header(TaskHeaders.ORIGIN, origin));
    send("dlq." + queue, "k", null, TaskCodec.header(TaskHeaders.ORIGIN, queue + "/0/999999"));
    try (DeadLetters letters = letters()) {
      assertThat(letters.redrive(DeadLetterFilter.ALL, 0, Long.MAX_VALUE, QUIET))
          .isEqualTo(new Moved(1, 1));
      assertThat(count(letters)).isEqualTo(1);
    }
    assertThat(queued()).extracting(DeadLettersIT::number).containsExactly(77, 77);
  }

  @Test
  void aQueueWithoutATopicOfDeadLettersHasNone() {
    assertThat(
            DeadLetters.of(
                KafkaSettings.of(kafka.bootstrapServers()),
                QueueDefinition.named(kafka.unique("alive")),
                FleetDefinition.DEFAULT,
                SystemClock.INSTANCE))
        .isEmpty();
  }
}
