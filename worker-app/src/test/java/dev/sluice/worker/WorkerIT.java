// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.BackpressureException;
import dev.sluice.ConfigException;
import dev.sluice.Order;
import dev.sluice.SnoozeException;
import dev.sluice.Task;
import dev.sluice.flow.pause.PauseReason;
import dev.sluice.flow.retry.RetryPolicy;
import dev.sluice.localkafka.junit.KafkaExtension;
import dev.sluice.localkafka.junit.TestKafka;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import dev.sluice.worker.engine.EngineSnapshot;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(KafkaExtension.class)
class WorkerIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final RetryPolicy FAST =
      new RetryPolicy(3, Duration.ofMillis(5), 2, Duration.ofMillis(50), 0.5);

  private final TestKafka kafka;

  WorkerIT(TestKafka kafka) {
    this.kafka = kafka;
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void worksEveryTaskOnceInTheOrderOfItsKey(String protocol) throws Exception {
    String topic = kafka.topic("order", 4);
    int tasks = 20_000;
    send(
        topic,
        IntStream.range(0, tasks).mapToObj(i -> record(topic, "k" + i % 97, "" + i)).toList());
    Map<String, Queue<Integer>> seen = new ConcurrentHashMap<>();
    Set<String> running = ConcurrentHashMap.newKeySet();
    AtomicInteger overlaps = new AtomicInteger();
    AtomicInteger done = new AtomicInteger();
    try (Worker worker =
        Worker.builder(
                dev.sluice.kafka.KafkaSettings.of(
                    kafka.bootstrapServers(), Map.of("group.protocol", protocol)))
            .queue(
                topic,
                queue ->
                    queue
                        .concurrency(32)
                        .handle(
                            (task, context) -> {
                              String key = task.keyAsString();
                              if (!running.add(key)) {
                                overlaps.incrementAndGet();
                              }
                              seen.computeIfAbsent(key, k -> new ConcurrentLinkedQueue<>())
                                  .add(Integer.parseInt(new String(task.payload(), UTF_8)));
                              running.remove(key);
                              done.incrementAndGet();
                            }))
            .start()) {
      await().atMost(PATIENCE).until(() -> done.get() >= tasks);
      await().atMost(PATIENCE).until(() -> lag("sluice-" + topic, topic) == 0);
      assertThat(worker.live()).isTrue();
      assertThat(worker.ready()).isTrue();
    }
    assertThat(done).hasValue(tasks);
    assertThat(overlaps).hasValue(0);
    seen.values().forEach(values -> assertThat(List.copyOf(values)).isSorted());
  }

  @Test
  void aStuckTaskHoldsItsKeyAndNothingElse() throws Exception {
    String topic = kafka.topic("stuck", 1);
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    records.add(record(topic, "stuck", "0"));
    for (int i = 1; i <= 3_000; i++) {
      records.add(record(topic, i % 500 == 0 ? "stuck" : "k" + i, "" + i));
    }
    send(topic, records);
    CountDownLatch release = new CountDownLatch(1);
    AtomicInteger others = new AtomicInteger();
    AtomicInteger stuck = new AtomicInteger();
    try (Worker worker =
        Worker.builder(kafka.bootstrapServers())
            .queue(
                topic,
                queue ->
                    queue.handle(
                        (task, context) -> {
                          if ("stuck".equals(task.keyAsString())) {
                            release.await();
                            stuck.incrementAndGet();
                          } else {
                            others.incrementAndGet();
                          }
                        }))
            .start()) {
      await().atMost(PATIENCE).until(() -> others.get() == 2_994);
      assertThat(stuck).hasValue(0);
      release.countDown();
      await().atMost(PATIENCE).until(() -> stuck.get() == 7);
      await().atMost(PATIENCE).until(() -> quiet(worker));
    }
  }

  @Test
  void whatWasDoneBehindAStuckTaskIsNotDoneAgainAfterARestart() throws Exception {
    String topic = kafka.topic("gaps", 1);
    send(topic, IntStream.range(0, 2_000).mapToObj(i -> record(topic, "k" + i, "" + i)).toList());
    Set<Integer> first = ConcurrentHashMap.newKeySet();
    AtomicBoolean hold = new AtomicBoolean(true);
    Map<Integer, AtomicInteger> runs = new ConcurrentHashMap<>();
    for (int round = 0; round < 2; round++) {
      try (Worker worker =
          Worker.builder(kafka.bootstrapServers())
              .queue(
                  topic,
                  queue ->
                      queue
                          .handover(Duration.ofMillis(300))
                          .handle(
                              (task, context) -> {
                                int i = Integer.parseInt(new String(task.payload(), UTF_8));
                                if (i == 0 && hold.get()) {
                                  new CountDownLatch(1).await();
                                }
                                runs.computeIfAbsent(i, x -> new AtomicInteger()).incrementAndGet();
                                first.add(i);
                              }))
              .start()) {
        int expected = round == 0 ? 1_999 : 2_000;
        await().atMost(PATIENCE).until(() -> first.size() == expected);
      }
      hold.set(false);
    }
    assertThat(runs.values()).allMatch(count -> count.get() == 1);
  }

  @Test
  void badTasksEndInTheDeadLettersAndTheOthersFinish() throws Exception {
    String topic = kafka.topic("poison", 2);
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      records.add(record(topic, "k" + i, "{\"n\":" + i + "}"));
    }
    records.add(record(topic, "never", "{\"n\":-1}"));
    records.add(record(topic, "deep", "{\"n\":-2}"));
    records.add(record(topic, "nojson", "not json"));
    records.add(record(topic, "empty", ""));
    records.add(record(topic, "large", "{\"n\":7,\"pad\":\"" + "x".repeat(900_000) + "\"}"));
    send(topic, records);
    AtomicInteger done = new AtomicInteger();
    record Number(int n) {}
    try (Worker worker =
        Worker.builder(kafka.bootstrapServers())
            .queue(
                topic,
                queue ->
                    queue
                        .retry(FAST)
                        .timeout(Duration.ofMillis(200))
                        .handle(
                            topic,
                            Number.class,
                            (task, context) -> {
                              if (task.payload().n() == -1) {
                                new CountDownLatch(1).await();
                              }
                              if (task.payload().n() == -2) {
                                throw new StackOverflowError();
                              }
                              done.incrementAndGet();
                            }))
            .start()) {
      List<ConsumerRecord<byte[], byte[]>> dead = read("dlq." + topic, 4);
      assertThat(dead)
          .extracting(
              r -> new String(r.key(), UTF_8),
              r -> TaskCodec.text(r.headers(), TaskHeaders.ERROR_ATTEMPTS))
          .containsExactlyInAnyOrder(
              org.assertj.core.groups.Tuple.tuple("never", "3"),
              org.assertj.core.groups.Tuple.tuple("deep", "3"),
              org.assertj.core.groups.Tuple.tuple("nojson", "1"),
              org.assertj.core.groups.Tuple.tuple("empty", "1"));
      assertThat(dead)
          .allSatisfy(
              r -> {
                assertThat(TaskCodec.text(r.headers(), TaskHeaders.ORIGIN)).startsWith(topic + "/");
                assertThat(TaskCodec.text(r.headers(), TaskHeaders.ERROR_TYPE)).isNotEmpty();
                assertThat(TaskCodec.text(r.headers(), TaskHeaders.ERROR_MESSAGE)).isNotEmpty();
              });
      await().atMost(PATIENCE).until(() -> done.get() == 501);
      await().atMost(PATIENCE).until(() -> quiet(worker));
      await().atMost(PATIENCE).until(() -> lag("sluice-" + topic, topic) == 0);
    }
  }

  @Test
  void aHandlerThatIgnoresItsInterruptionLosesItsThreadButHoldsItsKey() throws Exception {
    String topic = kafka.topic("hung", 1);
    send(
        topic,
        List.of(
            record(topic, "hung", "hang"), record(topic, "hung", "next"), record(topic, "x", "x")));
    AtomicBoolean release = new AtomicBoolean();
    Set<String> done = ConcurrentHashMap.newKeySet();
    try (Worker worker =
        Worker.builder(kafka.bootstrapServers())
            .queue(
                topic,
                queue ->
                    queue
                        .concurrency(1)
                        .retry(FAST)
                        .timeout(Duration.ofMillis(100))
                        .handle(
                            (task, context) -> {
                              String payload = new String(task.payload(), UTF_8);
                              while (payload.equals("hang") && !release.get()) {
                                Thread.onSpinWait();
                              }
                              done.add(payload);
                            }))
            .start()) {
      assertThat(TaskCodec.text(read("dlq." + topic, 1).get(0).headers(), TaskHeaders.ERROR_TYPE))
          .endsWith("HandlerHungException");
      await().atMost(PATIENCE).until(() -> done.contains("x"));
      assertThat(done).doesNotContain("next");
      release.set(true);
      await().atMost(PATIENCE).until(() -> done.contains("next"));
      await().atMost(PATIENCE).until(() -> quiet(worker));
    }
  }

  @Test
  void aBlockedHandlerPausesItsPartitionsWithReasonsAndResumesThem() throws Exception {
    String topic = kafka.topic("pauses", 3);
    send(topic, IntStream.range(0, 3_000).mapToObj(i -> record(topic, "k" + i, "" + i)).toList());
    CountDownLatch release = new CountDownLatch(1);
    AtomicInteger done = new AtomicInteger();
    try (Worker worker =
        Worker.builder(kafka.bootstrapServers())
            .queue(
                topic,
                queue ->
                    queue
                        .concurrency(4)
                        .buffer(100, 1 << 20)
                        .handle(
                            (task, context) -> {
                              release.await();
                              done.incrementAndGet();
                            }))
            .start()) {
      await()
          .atMost(PATIENCE)
          .until(
              () ->
                  worker.snapshots().get(0).partitions().stream()
                          .filter(p -> p.pausedNanos().containsKey(PauseReason.LANE_FULL))
                          .count()
                      == 3);
      assertThat(worker.json()).contains("LANE_FULL").contains("clearedBy");
      release.countDown();
      await().atMost(PATIENCE).until(() -> done.get() == 3_000);
      EngineSnapshot snapshot = worker.snapshots().get(0);
      assertThat(snapshot.partitions()).allMatch(p -> p.laneDepthMax() <= p.laneCapacity());
    }
  }

  @Test
  void backpressureUsesUpNoAttempt() throws Exception {
    String topic = kafka.topic("backpressure", 1);
    send(topic, List.of(record(topic, "k", "v")));
    AtomicInteger calls = new AtomicInteger();
    Queue<Integer> attempts = new ConcurrentLinkedQueue<>();
    try (Worker worker =
        Worker.builder(kafka.bootstrapServers())
            .queue(
                topic,
                queue ->
                    queue
                        .retry(FAST.withMaxAttempts(1))
                        .handle(
                            (task, context) -> {
                              attempts.add(context.attempt());
                              if (calls.incrementAndGet() < 5) {
                                throw new BackpressureException("busy", Duration.ofMillis(20));
                              }
                            }))
            .start()) {
      await().atMost(PATIENCE).until(() -> calls.get() == 5);
      await().atMost(PATIENCE).until(() -> quiet(worker));
    }
    assertThat(attempts).containsOnly(1);
  }

  @Test
  void orderOfAPartitionHoldsForTasksWithoutKeys() throws Exception {
    String topic = kafka.topic("partition-order", 2);
    send(
        topic,
        IntStream.range(0, 2_000)
            .mapToObj(
                i ->
                    new ProducerRecord<byte[], byte[]>(
                        topic, i % 2, null, ("" + i).getBytes(UTF_8)))
            .toList());
    Map<Integer, Queue<Long>> offsets = new ConcurrentHashMap<>();
    AtomicInteger done = new AtomicInteger();
    try (Worker worker =
        Worker.builder(kafka.bootstrapServers())
            .queue(
                topic,
                queue ->
                    queue
                        .order(Order.PARTITION)
                        .handle(
                            (task, context) -> {
                              offsets
                                  .computeIfAbsent(
                                      context.partition(), p -> new ConcurrentLinkedQueue<>())
                                  .add(context.offset());
                              done.incrementAndGet();
                            }))
            .start()) {
      await().atMost(PATIENCE).until(() -> done.get() == 2_000);
    }
    assertThat(offsets).hasSize(2);
    offsets.values().forEach(seen -> assertThat(List.copyOf(seen)).isSorted());
  }

  @Test
  void stopsByItselfWhenItsQueueIsEmpty() throws Exception {
    String topic = kafka.topic("until-empty", 3);
    send(topic, IntStream.range(0, 100).mapToObj(i -> record(topic, "k" + i, "" + i)).toList());
    AtomicInteger done = new AtomicInteger();
    try (Worker worker =
        Worker.builder(kafka.bootstrapServers())
            .queue(topic, queue -> queue.handle((task, context) -> done.incrementAndGet()))
            .start()) {
      worker.stopWhenEmpty();
      assertThat(worker.awaitShutdown()).isTrue();
    }
    assertThat(done).hasValue(100);
    assertThat(lag("sluice-" + topic, topic)).isZero();
  }

  @Test
  void aTaskPastItsDeadlineEndsWithoutRunningAlsoBetweenItsAttempts() throws Exception {
    String topic = kafka.topic("deadline", 2);
    long now = System.currentTimeMillis();
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      ProducerRecord<byte[], byte[]> record = record(topic, "k" + i % 7, "good");
      if (i % 2 == 1) {
        record = record(topic, "k" + i % 7, "late");
        record.headers().add(TaskCodec.header(TaskHeaders.DEADLINE, Long.toString(now - 1_000)));
      }
      records.add(record);
    }
    ProducerRecord<byte[], byte[]> failing = record(topic, "k1", "fails");
    failing.headers().add(TaskCodec.header(TaskHeaders.DEADLINE, Long.toString(now + 5_000)));
    records.add(failing);
    ProducerRecord<byte[], byte[]> unreadable = record(topic, "k1", "good");
    unreadable.headers().add(TaskCodec.header(TaskHeaders.DEADLINE, "tomorrow"));
    records.add(unreadable);
    send(topic, records);
    AtomicInteger good = new AtomicInteger();
    AtomicInteger late = new AtomicInteger();
    AtomicInteger failed = new AtomicInteger();
    try (Worker worker =
        Worker.builder(kafka.bootstrapServers())
            .queue(
                topic,
                queue ->
                    queue
                        .retry(
                            new RetryPolicy(
                                1_000, Duration.ofMillis(300), 1, Duration.ofMillis(300), 0))
                        .handle(
                            (task, context) -> {
                              switch (new String(task.payload(), UTF_8)) {
                                case "good" -> good.incrementAndGet();
                                case "late" -> late.incrementAndGet();
                                default -> {
                                  failed.incrementAndGet();
                                  // Nobody works this: its attempt fails, and then it expires.
                                  var ignored =
                                      context.submit(Task.of(topic, "t", "good".getBytes(UTF_8)));
                                  throw new IllegalStateException("not yet");
                                }
                              }
                            }))
            .start()) {
      await().atMost(PATIENCE).until(() -> good.get() >= 101 && quiet(worker));
      EngineSnapshot.HandlerView handler =
          worker.snapshots().get(0).handlers().stream()
              .filter(h -> h.succeeded() > 0)
              .findFirst()
              .orElseThrow();
      assertThat(late).hasValue(0);
      assertThat(handler.expired()).isEqualTo(101);
      assertThat(handler.dead()).isZero();
      assertThat(handler.failed()).isEqualTo(failed.get());
      await().atMost(PATIENCE).until(() -> lag("sluice-" + topic, topic) == 0);
      assertThat(good).hasValue(101);
    }
  }

  @Test
  void anAttemptThatShowsSignsOfLifeOutlastsItsTimeOutAndShowsItsProgress() throws Exception {
    String topic = kafka.topic("heartbeat", 1);
    send(topic, List.of(record(topic, "a", "alive"), record(topic, "b", "silent")));
    CountDownLatch never = new CountDownLatch(1);
    AtomicInteger alive = new AtomicInteger();
    AtomicInteger interrupted = new AtomicInteger();
    Queue<String> shown = new ConcurrentLinkedQueue<>();
    try (Worker worker =
        Worker.builder(kafka.bootstrapServers())
            .queue(
                topic,
                queue ->
                    queue
                        .timeout(Duration.ofMillis(700))
                        .retry(FAST.withMaxAttempts(1))
                        .handle(
                            (task, context) -> {
                              boolean signs = new String(task.payload(), UTF_8).equals("alive");
                              try {
                                for (int i = 1; i <= 12; i++) {
                                  assertThat(never.await(200, TimeUnit.MILLISECONDS)).isFalse();
                                  if (signs) {
                                    context.heartbeat(i + " of 12" + "!".repeat(500));
                                  }
                                }
                                alive.incrementAndGet();
                              } catch (InterruptedException e) {
                                interrupted.incrementAndGet();
                                throw e;
                              }
                            }))
            .start()) {
      await()
          .atMost(PATIENCE)
          .until(
              () -> {
                shown.add(worker.json());
                return quiet(worker) && alive.get() + interrupted.get() == 2;
              });
      assertThat(alive).hasValue(1);
      assertThat(interrupted).hasValue(1);
      assertThat(shown).anyMatch(json -> json.contains("\"progress\":\"7 of 12!"));
      assertThat(shown).noneMatch(json -> json.contains("!".repeat(201)));
    }
  }

  @Test
  void aSnoozedTaskComesAgainWithoutAnAttemptUsedWhileOthersGoOn() throws Exception {
    String topic = kafka.topic("snooze", 1);
    send(topic, List.of(record(topic, "a", "waits"), record(topic, "b", "good")));
    Queue<Integer> attempts = new ConcurrentLinkedQueue<>();
    AtomicInteger good = new AtomicInteger();
    try (Worker worker =
        Worker.builder(kafka.bootstrapServers())
            .queue(
                topic,
                queue ->
                    queue
                        .retry(FAST.withMaxAttempts(1))
                        .handle(
                            (task, context) -> {
                              if ("good".equals(new String(task.payload(), UTF_8))) {
                                good.incrementAndGet();
                                return;
                              }
                              attempts.add(context.attempt());
                              if (attempts.size() < 4 || good.get() == 0) {
                                throw new SnoozeException("not yet", Duration.ofMillis(20));
                              }
                            }))
            .start()) {
      await().atMost(PATIENCE).until(() -> good.get() == 1 && quiet(worker));
      assertThat(attempts).hasSizeGreaterThanOrEqualTo(4).allMatch(attempt -> attempt == 1);
      await().atMost(PATIENCE).until(() -> lag("sluice-" + topic, topic) == 0);
    }
  }

  @Test
  void aCompactedTopicIsRefused() throws Exception {
    String topic = kafka.unique("compacted");
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
      admin
          .createTopics(
              List.of(
                  new NewTopic(topic, 1, (short) 1).configs(Map.of("cleanup.policy", "compact"))))
          .all()
          .get(30, TimeUnit.SECONDS);
    }
    assertThatThrownBy(
            () ->
                Worker.builder(kafka.bootstrapServers())
                    .queue(topic, queue -> queue.handle((task, context) -> {}))
                    .start())
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("cleanup.policy=compact");
  }

  private static boolean quiet(Worker worker) {
    return worker.snapshots().stream()
        .allMatch(
            s ->
                s.running() == 0
                    && s.bytes() == 0
                    && s.keys() == 0
                    && s.partitions().stream()
                        .allMatch(p -> p.laneDepth() == 0 && p.retryWaiting() == 0));
  }

  private static ProducerRecord<byte[], byte[]> record(String topic, String key, String value) {
    return new ProducerRecord<>(topic, key.getBytes(UTF_8), value.getBytes(UTF_8));
  }

  private void send(String topic, List<ProducerRecord<byte[], byte[]>> records) {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      records.forEach(producer::send);
      producer.flush();
    }
  }

  private List<ConsumerRecord<byte[], byte[]>> read(String topic, int count) {
    List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers(), "auto.offset.reset", "earliest"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList());
      await()
          .atMost(PATIENCE)
          .until(
              () -> {
                consumer.poll(Duration.ofMillis(100)).forEach(found::add);
                return found.size() >= count;
              });
    }
    return found;
  }

  private long lag(String group, String topic) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
        KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
      var committed =
          admin
              .listConsumerGroupOffsets(group)
              .partitionsToOffsetAndMetadata()
              .get(30, TimeUnit.SECONDS);
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList();
      long lag = 0;
      for (var end : consumer.endOffsets(partitions).entrySet()) {
        var offset = committed.get(end.getKey());
        lag += end.getValue() - (offset == null ? 0 : offset.offset());
      }
      return lag;
    }
  }
}
