// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.flow.retry.RetryPolicy;
import dev.sluice.localkafka.junit.KafkaExtension;
import dev.sluice.localkafka.junit.TestKafka;
import dev.sluice.worker.lease.Lease;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(KafkaExtension.class)
class LeasesIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final TestKafka kafka;

  LeasesIT(TestKafka kafka) {
    this.kafka = kafka;
  }

  @Test
  void eachEndOfALeaseIsThatOfItsTaskAndCountsOnce() throws Exception {
    String topic = kafka.topic("lease", 1);
    try (Worker worker = worker(topic)) {
      assertThat(worker.take(Duration.ofMillis(50))).as("nothing is there").isEmpty();
      send(topic, "a", "b", "c");
      Lease a = take(worker);
      assertThat(text(a)).isEqualTo("a");
      assertThat(worker.take(Duration.ofMillis(200))).as("of one key one at a time").isEmpty();
      a.complete();
      assertThatThrownBy(a::complete)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("was completed, failed or returned before");

      Lease b = take(worker);
      b.fail(new IllegalStateException("once more"));
      Lease again = take(worker);
      assertThat(text(again)).isEqualTo("b");
      assertThat(again.context().attempt()).isEqualTo(2);
      again.snooze(Duration.ofMillis(1));
      Lease woken = take(worker);
      assertThat(woken.context().attempt()).as("a snooze uses no attempt").isEqualTo(2);
      woken.close();
      Lease returned = take(worker);
      assertThat(returned.context().attempt()).as("nor does a return").isEqualTo(2);
      returned.complete("done");

      Lease c = take(worker);
      await().atMost(PATIENCE).until(() -> !c.isOpen());
      assertThatThrownBy(c::complete)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("its time was up");
      Lease late = take(worker);
      assertThat(text(late)).isEqualTo("c");
      assertThat(late.context().attempt()).as("its time was up").isEqualTo(2);
      for (int i = 0; i < 4; i++) {
        late.extend(i + " of 4");
      }
      late.complete();
      await().atMost(PATIENCE).until(() -> depth(worker) == 0);
    }
  }

  @Test
  void aStopEndsTheIterationAndWhatWaits() throws Exception {
    String topic = kafka.topic("lease-stop", 2);
    send(topic, "1", "2", "3", "4", "5");
    List<String> seen = new CopyOnWriteArrayList<>();
    Worker worker = worker(topic);
    CountDownLatch ended = new CountDownLatch(1);
    Thread consumer =
        new Thread(
            () -> {
              for (Lease lease : worker.leases()) {
                seen.add(text(lease));
                lease.complete();
              }
              ended.countDown();
            });
    consumer.start();
    await().atMost(PATIENCE).until(() -> seen.size() == 5 && depth(worker) == 0);
    assertThat(ended.getCount()).as("the iteration waits").isEqualTo(1);
    worker.close();
    assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(worker.take(PATIENCE)).as("after the stop").isEmpty();
    assertThat(seen).containsExactly("1", "2", "3", "4", "5");
  }

  @Test
  void aQueueThatIsHandledIsNotPulled() {
    String topic = kafka.topic("lease-none", 1);
    try (Worker worker =
        Worker.builder(kafka.bootstrapServers())
            .queue(topic, queue -> queue.handle((task, context) -> {}))
            .start()) {
      assertThatThrownBy(() -> worker.take(PATIENCE))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("pull()");
    }
  }

  private Worker worker(String topic) {
    return Worker.builder(kafka.bootstrapServers())
        .queue(
            topic,
            queue ->
                queue
                    .concurrency(4)
                    .pull()
                    .timeout(Duration.ofSeconds(2))
                    .retry(new RetryPolicy(5, Duration.ofMillis(1), 1, Duration.ofMillis(1), 0)))
        .start();
  }

  private static Lease take(Worker worker) throws InterruptedException {
    Optional<Lease> lease = worker.take(PATIENCE);
    assertThat(lease).isPresent();
    return lease.orElseThrow();
  }

  private static String text(Lease lease) {
    return new String(lease.task().payload(), UTF_8);
  }

  private static int depth(Worker worker) {
    return worker.snapshots().stream()
        .flatMap(snapshot -> snapshot.partitions().stream())
        .mapToInt(partition -> partition.laneDepth() + (int) partition.uncommitted())
        .sum();
  }

  private void send(String topic, String... values) {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (String value : values) {
        var ignored =
            producer.send(new ProducerRecord<>(topic, "k".getBytes(UTF_8), value.getBytes(UTF_8)));
      }
    }
  }
}
