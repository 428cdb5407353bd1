// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.OnRetry;
import dev.sluice.flow.retry.RetryPolicy;
import dev.sluice.localkafka.junit.KafkaExtension;
import dev.sluice.localkafka.junit.TestKafka;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A task that waits long for its next attempt leaves its place, and comes back. */
@ExtendWith(KafkaExtension.class)
class LetPassIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final TestKafka kafka;

  LetPassIT(TestKafka kafka) {
    this.kafka = kafka;
  }

  @Test
  void othersOfItsKeyPassAndItsAttemptsGoWithIt() {
    String topic = kafka.topic("let-pass", 1);
    send(topic, "fails");
    for (int i = 0; i < 50; i++) {
      send(topic, "good");
    }
    List<String> seen = new CopyOnWriteArrayList<>();
    try (Worker worker = worker(topic, seen)) {
      await().atMost(PATIENCE).untilAsserted(() -> assertThat(letters(topic)).hasSize(1));
      assertThat(worker.live()).isTrue();
    }
    assertThat(seen.get(0)).isEqualTo("fails 1 " + topic);
    assertThat(seen.subList(1, 51)).containsOnly("good 1 " + topic);
    assertThat(seen.subList(51, 53))
        .containsExactly("fails 2 " + topic + ".retry", "fails 3 " + topic + ".retry");
    ConsumerRecord<byte[], byte[]> letter = letters(topic).get(0);
    assertThat(TaskCodec.text(letter.headers(), TaskHeaders.ORIGIN)).isEqualTo(topic + "/0/0");
    assertThat(TaskCodec.text(letter.headers(), TaskHeaders.ID)).isEqualTo(topic + "/0/0");
    assertThat(TaskCodec.text(letter.headers(), TaskHeaders.ERROR_ATTEMPTS)).isEqualTo("3");
    assertThat(new String(letter.key(), UTF_8)).isEqualTo("k");
    assertThat(new String(letter.value(), UTF_8)).isEqualTo("fails");
  }

  @Test
  void aTaskThatIsHereBeforeItsTimeWaitsForIt() {
    String topic = kafka.topic("early", 1);
    long due = System.currentTimeMillis() + 3_000;
    ProducerRecord<byte[], byte[]> early = record(topic, "early");
    early.headers().add(TaskCodec.header(TaskHeaders.NOT_BEFORE, Long.toString(due)));
    send(early);
    send(topic, "good");
    List<String> seen = new CopyOnWriteArrayList<>();
    try (Worker worker = worker(topic, seen)) {
      await().atMost(PATIENCE).until(() -> seen.size() == 2);
      assertThat(System.currentTimeMillis()).isGreaterThanOrEqualTo(due);
      assertThat(worker.live()).isTrue();
    }
    assertThat(seen).containsExactly("good 1 " + topic, "early 1 " + topic + ".retry");
  }

  private Worker worker(String topic, List<String> seen) {
    return Worker.builder(kafka.bootstrapServers())
        .queue(
            topic,
            queue ->
                queue
                    .onRetry(OnRetry.LET_PASS)
                    .retry(
                        new RetryPolicy(3, Duration.ofMillis(1_200), 1, Duration.ofSeconds(2), 0))
                    .handle(
                        (task, context) -> {
                          String text = new String(task.payload(), UTF_8);
                          seen.add(text + " " + context.attempt() + " " + context.topic());
                          if (text.equals("fails")) {
                            throw new IllegalStateException("not today");
                          }
                        }))
        .start();
  }

  private static ProducerRecord<byte[], byte[]> record(String topic, String value) {
    return new ProducerRecord<>(topic, "k".getBytes(UTF_8), value.getBytes(UTF_8));
  }

  private void send(String topic, String value) {
    send(record(topic, value));
  }

  private void send(ProducerRecord<byte[], byte[]> record) {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      var ignored = producer.send(record);
    }
  }

  private List<ConsumerRecord<byte[], byte[]>> letters(String topic) {
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    TopicPartition dead = new TopicPartition("dlq." + topic, 0);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(List.of(dead));
      consumer.seekToBeginning(List.of(dead));
      long end = consumer.endOffsets(List.of(dead)).getOrDefault(dead, 0L);
      while (consumer.position(dead) < end) {
        consumer.poll(Duration.ofMillis(100)).forEach(all::add);
      }
    }
    return all;
  }
}
