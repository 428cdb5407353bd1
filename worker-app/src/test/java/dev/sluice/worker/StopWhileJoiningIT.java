// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.kafka.KafkaSettings;
import dev.sluice.localkafka.junit.KafkaExtension;
import dev.sluice.localkafka.junit.TestKafka;
import dev.sluice.worker.engine.EngineSnapshot.PartitionView;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A worker stops while it is joining, and its group gives it partitions in the polls by which it
 * waits for its last commit. What these polls bring was never worked: no commit may cover it.
 *
 * <p>The other member is a consumer of the test, which does not poll it any more: it holds the
 * rebalance open until the worker hands over, and then leaves.
 */
@ExtendWith(KafkaExtension.class)
class StopWhileJoiningIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int PARTITIONS = 4;
  private static final int PER_PARTITION = 500;
  private static final int LANE = 100;
  private static final Map<String, String> CLASSIC =
      Map.of(
          "group.protocol",
          "classic",
          "heartbeat.interval.ms",
          "100",
          "metadata.max.age.ms",
          "200");

  private final TestKafka kafka;
  private final String topic;
  private final String group;
  private final Set<String> done = ConcurrentHashMap.newKeySet();

  StopWhileJoiningIT(TestKafka kafka) {
    this.kafka = kafka;
    this.topic = kafka.topic("joining", PARTITIONS);
    this.group = "sluice-" + topic;
  }

  @RepeatedTest(3)
  void whatThePollsBeforeLeavingBringIsNotCommitted() throws Exception {
    Semaphore gate = new Semaphore(0);
    AtomicBoolean told = new AtomicBoolean();
    try (KafkaConsumer<byte[], byte[]> holder = member();
        Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
        Worker leaver = worker(gate, told)) {
      awaitThat(leaver::ready); // it leads the group, and so it sees new partitions
      holder.subscribe(List.of(topic));
      awaitThat(
          () -> {
            holder.poll(Duration.ofMillis(50));
            return holder.assignment().size() == 2 && partitions(leaver).size() == 2;
          });
      sendAll();
      // Nothing of its own is fetched any more: an answer for new partitions is not kept waiting.
      awaitThat(() -> partitions(leaver).stream().noneMatch(p -> p.pausedNanos().isEmpty()));

      long refused = refused(leaver);
      admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(PARTITIONS + 1))).all().get();
      awaitThat(
          () -> {
            gate.release(); // a completion is something to commit
            return refused(leaver) > refused;
          });
      leaver.stop();
      awaitThat(told::get);
      holder.close();
      awaitThat(() -> state(admin) == GroupState.COMPLETING_REBALANCE);
      gate.release(PARTITIONS * PER_PARTITION);
      assertThat(leaver.awaitShutdown()).isTrue();
      committed(admin).forEach(this::assertAllDoneBelow);
    }
    try (Worker heir = worker(gate, new AtomicBoolean())) {
      awaitThat(() -> done.size() == PARTITIONS * PER_PARTITION);
      assertThat(heir.live()).isTrue();
    }
  }

  private void assertAllDoneBelow(TopicPartition id, OffsetAndMetadata committed) {
    assertThat(done)
        .as("%s is committed at %s", id, committed.offset())
        .containsAll(
            IntStream.range(0, (int) committed.offset())
                .mapToObj(offset -> name(id.partition(), offset))
                .toList());
  }

  private Worker worker(Semaphore gate, AtomicBoolean told) {
    return Worker.builder(KafkaSettings.of(kafka.bootstrapServers(), CLASSIC))
        .queue(
            topic,
            queue ->
                queue
                    .concurrency(4)
                    .buffer(LANE, 8L << 20)
                    .handover(PATIENCE)
                    .handle(
                        (task, context) -> {
                          while (!gate.tryAcquire(10, TimeUnit.MILLISECONDS)) {
                            told.compareAndSet(false, context.cancelled());
                          }
                          done.add(new String(task.payload(), UTF_8));
                        }))
        .start();
  }

  private KafkaConsumer<byte[], byte[]> member() {
    Map<String, Object> settings =
        KafkaSettings.of(kafka.bootstrapServers(), CLASSIC).consumer(group);
    settings.put("auto.offset.reset", "earliest");
    return new KafkaConsumer<>(settings);
  }

  private void sendAll() {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int i = 0; i < PER_PARTITION; i++) {
        for (int p = 0; p < PARTITIONS; p++) {
          var ignored =
              producer.send(new ProducerRecord<>(topic, p, null, name(p, i).getBytes(UTF_8)));
        }
      }
    }
  }

  private static String name(int partition, int offset) {
    return partition + "/" + offset;
  }

  private GroupState state(Admin admin) throws Exception {
    return admin
        .describeConsumerGroups(List.of(group))
        .describedGroups()
        .get(group)
        .get(30, TimeUnit.SECONDS)
        .groupState();
  }

  private Map<TopicPartition, OffsetAndMetadata> committed(Admin admin) throws Exception {
    return admin
        .listConsumerGroupOffsets(group)
        .partitionsToOffsetAndMetadata()
        .get(30, TimeUnit.SECONDS);
  }

  private static long refused(Worker worker) {
    return worker.groups().get(0).counters().commitFailures();
  }

  private static List<PartitionView> partitions(Worker worker) {
    return worker.snapshots().stream().flatMap(s -> s.partitions().stream()).toList();
  }

  private static void awaitThat(Callable<Boolean> condition) {
    await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).until(condition);
  }
}
