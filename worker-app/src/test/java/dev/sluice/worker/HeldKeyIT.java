// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.flow.retry.RetryPolicy;
import dev.sluice.localkafka.junit.KafkaExtension;
import dev.sluice.localkafka.junit.TestKafka;
import dev.sluice.worker.engine.EngineSnapshot;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.extension.ExtendWith;

/** A key that is held back has more tasks than the lane has places. */
@ExtendWith(KafkaExtension.class)
class HeldKeyIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int LANE = 100;
  private static final int HOT = 900;
  private static final int OTHERS = 600;

  private final TestKafka kafka;

  HeldKeyIT(TestKafka kafka) {
    this.kafka = kafka;
  }

  @RepeatedTest(2)
  void allOtherKeysGoOnAndItsOwnTasksComeInTheirOrder() {
    String topic = kafka.topic("held", 1);
    send(topic);
    AtomicBoolean works = new AtomicBoolean();
    AtomicInteger refusals = new AtomicInteger();
    AtomicInteger others = new AtomicInteger();
    Queue<String> hot = new ConcurrentLinkedQueue<>();
    try (Worker worker =
        Worker.builder(kafka.bootstrapServers())
            .queue(
                topic,
                queue ->
                    queue
                        .buffer(LANE, 8L << 20)
                        .retry(
                            new RetryPolicy(
                                1_000, Duration.ofMillis(50), 1, Duration.ofMillis(50), 0))
                        .deadLetterGuard(false)
                        .handle(
                            (task, context) -> {
                              if (!"hot".equals(new String(task.key(), UTF_8))) {
                                others.incrementAndGet();
                              } else if (works.get()) {
                                hot.add(new String(task.payload(), UTF_8));
                              } else {
                                refusals.incrementAndGet();
                                throw new IllegalStateException("not yet");
                              }
                            }))
            .start()) {
      await().atMost(PATIENCE).until(() -> others.get() == OTHERS);
      assertThat(hot).as("of the key that is held back").isEmpty();
      assertThat(refusals).hasPositiveValue();
      works.set(true);
      await().atMost(PATIENCE).until(() -> hot.size() >= HOT);
      await().atMost(PATIENCE).until(() -> depths(worker).stream().allMatch(depth -> depth == 0));
      assertThat(worker.live()).isTrue();
    }
    assertThat(hot)
        .containsExactlyElementsOf(IntStream.range(0, HOT).mapToObj(String::valueOf).toList());
    assertThat(others).hasValue(OTHERS);
  }

  private static List<Integer> depths(Worker worker) {
    return worker.snapshots().stream()
        .flatMap(snapshot -> snapshot.partitions().stream())
        .map(EngineSnapshot.PartitionView::laneDepth)
        .toList();
  }

  /** The hot ones come first for long enough to fill any lane, and then alternate. */
  private void send(String topic) {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      int other = 0;
      for (int i = 0; i < HOT; i++) {
        var ignored = producer.send(record(topic, "hot", i));
        if (i >= HOT - OTHERS) {
          ignored = producer.send(record(topic, "k" + other % 50, other));
          other++;
        }
      }
    }
  }

  private static ProducerRecord<byte[], byte[]> record(String topic, String key, int value) {
    return new ProducerRecord<>(topic, key.getBytes(UTF_8), String.valueOf(value).getBytes(UTF_8));
  }
}
