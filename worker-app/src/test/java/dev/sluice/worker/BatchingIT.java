// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.BatchItem;
import dev.sluice.ConfigException;
import dev.sluice.PermanentTaskException;
import dev.sluice.RetriableTaskException;
import dev.sluice.flow.retry.RetryPolicy;
import dev.sluice.localkafka.junit.KafkaExtension;
import dev.sluice.localkafka.junit.TestKafka;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(KafkaExtension.class)
class BatchingIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final TestKafka kafka;

  BatchingIT(TestKafka kafka) {
    this.kafka = kafka;
  }

  @Test
  void tasksAreWorkedTogetherAndFailAlone() {
    String topic = kafka.topic("batching", 2);
    send(topic, 200);
    List<List<String>> batches = new CopyOnWriteArrayList<>();
    List<String> done = new CopyOnWriteArrayList<>();
    try (Worker worker =
        Worker.builder(kafka.bootstrapServers())
            .queue(
                topic,
                queue ->
                    queue
                        .concurrency(16)
                        .handleBatch(10, Duration.ofMillis(50), items -> work(items, batches, done))
                        .retry(
                            new RetryPolicy(5, Duration.ofMillis(1), 1, Duration.ofMillis(1), 0)))
            .start()) {
      await().atMost(PATIENCE).until(() -> done.size() >= 198);
      await()
          .atMost(PATIENCE)
          .until(
              () ->
                  worker.snapshots().stream()
                      .flatMap(s -> s.partitions().stream())
                      .allMatch(p -> p.laneDepth() == 0));
      assertThat(worker.live()).isTrue();
    }
    assertThat(done).doesNotHaveDuplicates().hasSize(198).doesNotContain("13", "113");
    assertThat(batches.stream().mapToInt(List::size).max()).hasValue(10);
    assertThat(batches.stream().filter(batch -> batch.contains("7")))
        .as("task 7 failed once, and its neighbours did not")
        .hasSize(2);
    assertThat(batches.stream().filter(batch -> batch.contains("50")))
        .as("a handler that throws fails all that it has not told of")
        .hasSize(2);
  }

  private static void work(
      List<BatchItem<byte[]>> items, List<List<String>> batches, List<String> done) {
    List<String> texts = new ArrayList<>();
    boolean throwsNow = false;
    for (BatchItem<byte[]> item : items) {
      String text = new String(item.task().payload(), UTF_8);
      texts.add(text);
      throwsNow |= text.equals("50") && item.context().attempt() == 1;
    }
    batches.add(texts);
    if (throwsNow) {
      throw new RetriableTaskException("all of them");
    }
    for (int i = 0; i < items.size(); i++) {
      String text = texts.get(i);
      if (text.equals("7") && items.get(i).context().attempt() == 1) {
        items.get(i).fail(new RetriableTaskException("this one"));
      } else if (text.equals("13") || text.equals("113")) {
        items.get(i).fail(new PermanentTaskException("never"));
      } else {
        done.add(text);
      }
    }
  }

  @Test
  void aBatchThatCanNeverBeFullIsRefused() {
    assertThatThrownBy(
            () ->
                Worker.builder(kafka.bootstrapServers())
                    .queue(
                        "any",
                        queue ->
                            queue.concurrency(4).handleBatch(5, Duration.ofMillis(1), items -> {}))
                    .start())
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("works 5 tasks at once")
        .hasMessageContaining("concurrency is 4");
  }

  private void send(String topic, int tasks) {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int i = 0; i < tasks; i++) {
        byte[] text = String.valueOf(i).getBytes(UTF_8);
        var ignored = producer.send(new ProducerRecord<>(topic, text, text));
      }
    }
  }
}
