// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.sluice.QueueFullException;
import dev.sluice.SluiceException;
import dev.sluice.Task;
import dev.sluice.UnknownOutcomeException;
import dev.sluice.history.HistoryWriter;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.localkafka.LocalKafka;
import dev.sluice.localkafka.junit.KafkaExtension;
import dev.sluice.localkafka.junit.TestKafka;
import dev.sluice.producer.TaskRefusedException.Reason;
import dev.sluice.time.SystemClock;
import dev.sluice.wire.TaskCodec;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(KafkaExtension.class)
@Timeout(120)
class TaskProducerIT {
  private final ExecutorService threads =
      new ThreadPoolExecutor(0, 32, 1, TimeUnit.SECONDS, new SynchronousQueue<>());

  @AfterEach
  void stopThreads() {
    threads.shutdownNow();
  }

  @Test
  void aTaskIsInTheLogOnceSubmitHasReturned(TestKafka kafka) {
    String topic = kafka.topic("submit", 1);
    try (TaskProducer producer =
        TaskProducer.builder(kafka.bootstrapServers()).topic("emails", topic).build()) {
      TaskHandle handle =
          producer.submit(Task.of("emails", "welcome", Map.of("to", "ada")).key("user-42"));

      List<ConsumerRecord<byte[], byte[]>> records = records(kafka, topic, 1);
      ConsumerRecord<byte[], byte[]> record = records.get(0);
      assertThat(new String(record.value(), UTF_8)).isEqualTo("{\"to\":\"ada\"}");
      assertThat(new String(record.key(), UTF_8)).isEqualTo("user-42");
      assertThat(TaskCodec.id(record)).isEqualTo(handle.id());
      assertThat(TaskCodec.type(record, "?")).isEqualTo("welcome");
      assertThat(TaskCodec.text(record.headers(), "content-type")).isEqualTo("application/json");
      assertThat(handle.accepted()).isCompletedWithValue(new Acceptance(topic, 0, 0));
      assertThat(producer.inFlightTasks()).isZero();
    }
  }

  @Test
  void neverHasMoreInFlightThanItMayAndEndsEmpty(TestKafka kafka, @TempDir Path folder)
      throws Exception {
    String topic = kafka.topic("bounds", 4);
    Path history = folder.resolve("history.jsonl");
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    int each = 3_000;
    try (HistoryWriter writer = HistoryWriter.ofProducer(history, SystemClock.INSTANCE);
        TaskProducer producer =
            TaskProducer.builder(kafka.bootstrapServers())
                .maxInFlightTasks(20)
                .maxInFlightBytes(20_000)
                .history(writer)
                .meters(meters)
                .build()) {
      AtomicBoolean done = new AtomicBoolean();
      Future<int[]> watch =
          threads.submit(
              () -> {
                int tasks = 0;
                int bytes = 0;
                while (!done.get()) {
                  tasks = Math.max(tasks, producer.inFlightTasks());
                  bytes = Math.max(bytes, (int) producer.inFlightBytes());
                }
                return new int[] {tasks, bytes};
              });
      List<Future<?>> work = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        work.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < each; i++) {
                    TaskHandle ignored =
                        producer.submitAsync(Task.of(topic, "t", new byte[i % 900]));
                  }
                  return null;
                }));
      }
      for (Future<?> one : work) {
        one.get();
      }
      assertThat(producer.flush(Duration.ofSeconds(30))).isTrue();
      done.set(true);
      assertThat(watch.get()[0]).isBetween(2, 20);
      assertThat(watch.get()[1]).isLessThanOrEqualTo(20_000);
      assertThat(producer.inFlightTasks()).isZero();
      assertThat(producer.inFlightBytes()).isZero();
      assertThat(meters.counter("sluice.producer.tasks", "outcome", "accepted").count())
          .isEqualTo(4.0 * each);
    }
    List<String> lines = Files.readAllLines(history);
    assertThat(lines)
        .hasSize(4 * each)
        .allMatch(line -> line.startsWith("{\"event\":\"accepted\""));
    Set<String> ids = new HashSet<>();
    records(kafka, topic, 4 * each).forEach(record -> ids.add(TaskCodec.id(record)));
    assertThat(ids).hasSize(4 * each);
  }

  @Test
  void aTaskThatIsTooLargeIsRefusedByTheClientAndByTheBroker(TestKafka kafka) {
    String topic = kafka.topic("large", 1);
    try (TaskProducer small = TaskProducer.connect(kafka.bootstrapServers());
        TaskProducer large =
            TaskProducer.builder(kafka.bootstrapServers())
                .kafkaProperty("max.request.size", 10_000_000)
                .build()) {
      Task<byte[]> task = Task.of(topic, "t", new byte[2_000_000]);
      assertRefused(Reason.TOO_LARGE, () -> small.submit(task));
      assertRefused(Reason.TOO_LARGE, () -> small.submitAsync(task));
      assertRefused(Reason.TOO_LARGE, () -> large.submit(task));
      assertThat(small.inFlightTasks() + large.inFlightTasks()).isZero();
      assertThat(small.submit(Task.of(topic, "t", new byte[900_000])).id()).isNotEmpty();
    }
  }

  @Test
  void aPayloadThatCannotBeEncodedIsRefused(TestKafka kafka) {
    try (TaskProducer producer = TaskProducer.connect(kafka.bootstrapServers())) {
      assertRefused(Reason.INVALID, () -> producer.submit(Task.of("q", "t", new Object())));
      assertThat(producer.inFlightTasks()).isZero();
    }
  }

  @Test
  void withoutABrokerASubmitIsRefusedInBoundedTime() {
    try (TaskProducer producer =
        TaskProducer.builder("127.0.0.1:1").kafkaProperty("max.block.ms", 500).build()) {
      assertRefused(Reason.NO_BROKER, () -> producer.submit(Task.of("q", "t", "x")));
      assertThat(producer.inFlightTasks()).isZero();
    }
  }

  @Test
  void whileTheBrokerIsAwayTasksWaitAndFatesAreUnknownAndThenItGoesOn() {
    try (LocalKafka broker = withTopic("q");
        TaskProducer producer =
            remembering(broker)
                .maxInFlightTasks(2)
                .kafkaProperty("request.timeout.ms", 1_000)
                .kafkaProperty("delivery.timeout.ms", 3_000)
                .build()) {
      producer.submit(Task.of("q", "t", 0));
      broker.stop(1);

      assertThatThrownBy(() -> producer.submit(Task.of("q", "t", 1), Duration.ofMillis(300)))
          .isInstanceOf(UnknownOutcomeException.class)
          .hasMessageContaining("no acknowledgement came within");
      TaskHandle second = producer.submitAsync(Task.of("q", "t", 2));
      assertThatThrownBy(() -> producer.submit(Task.of("q", "t", 3), Duration.ofMillis(300)))
          .isInstanceOf(QueueFullException.class)
          .hasMessageContaining("TASKS_FULL");
      assertThat(producer.trySubmit(Task.of("q", "t", 4))).isEmpty();

      assertThatThrownBy(() -> second.awaitAccepted(Duration.ofSeconds(20)))
          .isInstanceOf(UnknownOutcomeException.class);
      await().until(() -> producer.inFlightTasks() == 0);

      broker.restart(1);
      await()
          .atMost(Duration.ofSeconds(60))
          .ignoreExceptions()
          .until(() -> producer.submit(Task.of("q", "t", 5)) != null);
      assertThat(producer.inFlightTasks()).isZero();
    }
  }

  @Test
  void closingEndsEveryWaiterAndEverythingInFlightWithADeadBroker() throws Exception {
    try (LocalKafka broker = withTopic("q")) {
      TaskProducer producer = remembering(broker).maxInFlightTasks(1).build();
      producer.submit(Task.of("q", "t", 0));
      broker.stop(1);
      TaskHandle inFlight = producer.submitAsync(Task.of("q", "t", 1));
      List<Future<Throwable>> waiters = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        waiters.add(
            threads.submit(() -> catchThrowable(() -> producer.submit(Task.of("q", "t", 2)))));
      }
      assertThat(producer.flush(Duration.ofMillis(100))).isFalse();

      long start = System.nanoTime();
      producer.close(Duration.ofSeconds(1));

      assertThat(System.nanoTime() - start).isLessThan(10_000_000_000L);
      for (Future<Throwable> waiter : waiters) {
        assertThat(waiter.get(10, TimeUnit.SECONDS))
            .isInstanceOfSatisfying(
                TaskRefusedException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CLOSED));
      }
      assertThat(catchThrowable(() -> inFlight.awaitAccepted(Duration.ZERO)))
          .isInstanceOf(UnknownOutcomeException.class);
      assertThat(producer.inFlightTasks()).isZero();
      assertRefused(Reason.CLOSED, () -> producer.submit(Task.of("q", "t", 3)));
      producer.close();
    }
  }

  @Test
  void anInterruptedWaiterIsRefusedAndStaysInterrupted() throws Exception {
    try (LocalKafka broker = withTopic("q");
        TaskProducer producer =
            remembering(broker).maxInFlightTasks(1).closeTimeout(Duration.ofSeconds(1)).build()) {
      producer.submit(Task.of("q", "t", 0));
      broker.stop(1);
      TaskHandle ignored = producer.submitAsync(Task.of("q", "t", 1));
      CompletableFuture<Throwable> thrown = new CompletableFuture<>();
      AtomicBoolean still = new AtomicBoolean();
      Thread waiter =
          new Thread(
              () -> {
                Throwable e = catchThrowable(() -> producer.submit(Task.of("q", "t", 2)));
                still.set(Thread.currentThread().isInterrupted());
                thrown.complete(e);
              });
      waiter.start();
      waiter.interrupt();

      assertThat(thrown.get(10, TimeUnit.SECONDS))
          .isInstanceOfSatisfying(
              TaskRefusedException.class,
              e -> assertThat(e.reason()).isEqualTo(Reason.INTERRUPTED));
      assertThat(still).isTrue();
    }
  }

  @Test
  void waitingOnTheThreadThatPublishesIsRefusedAndDoesNotDeadlock(TestKafka kafka) {
    String topic = kafka.topic("callback", 1);
    try (TaskProducer producer =
        TaskProducer.builder(kafka.bootstrapServers())
            .maxInFlightTasks(1)
            .kafkaProperty("linger.ms", 200)
            .build()) {
      CompletableFuture<TaskHandle> chained =
          producer
              .submitAsync(Task.of(topic, "t", 0))
              .accepted()
              .thenApply(
                  a -> {
                    TaskHandle first = producer.submitAsync(Task.of(topic, "t", 1));
                    assertRefused(
                        Reason.WOULD_DEADLOCK, () -> producer.submitAsync(Task.of(topic, "t", 2)));
                    return first;
                  });
      assertThat(chained.join().awaitAccepted(Duration.ofSeconds(10)).offset()).isEqualTo(1);
    }
  }

  @Test
  void aTopicThatDoesNotExistIsNamed(TestKafka kafka) {
    try (TaskProducer producer =
        TaskProducer.builder(kafka.bootstrapServers()).kafkaProperty("max.block.ms", 300).build()) {
      assertRefused(Reason.NO_TOPIC, () -> producer.submit(Task.of("nowhere", "t", "x")));
    }
  }

  @Test
  void aClientThatForgetsTheBrokersRefusesInBoundedTimeAndComesBack() {
    try (LocalKafka broker = withTopic("q");
        TaskProducer producer =
            TaskProducer.builder(broker.bootstrapServers())
                .kafkaProperty("max.block.ms", 500)
                .kafkaProperty("request.timeout.ms", 1_000)
                .kafkaProperty("delivery.timeout.ms", 3_000)
                .build()) {
      producer.submit(Task.of("q", "t", 0));
      broker.stop(1);
      long start = System.nanoTime();
      assertThatThrownBy(() -> producer.submit(Task.of("q", "t", 1)))
          .isInstanceOfAny(TaskRefusedException.class, UnknownOutcomeException.class);
      assertThat(System.nanoTime() - start).isLessThan(15_000_000_000L);
      broker.restart(1);
      await()
          .atMost(Duration.ofSeconds(60))
          .ignoreExceptions()
          .until(() -> producer.submit(Task.of("q", "t", 2)) != null);
      assertThat(producer.inFlightTasks()).isZero();
    }
  }

  /** Keeps what it knew of the brokers while all are away, so that records are taken and wait. */
  private static TaskProducerBuilder remembering(LocalKafka broker) {
    return TaskProducer.builder(broker.bootstrapServers())
        .kafkaProperty("metadata.recovery.strategy", "none");
  }

  private static LocalKafka withTopic(String topic) {
    LocalKafka broker = LocalKafka.start();
    try (Topics topics =
        new Topics(KafkaSettings.of(broker.bootstrapServers()), Duration.ofSeconds(20))) {
      topics.ensure(Map.of(topic, 1));
    }
    return broker;
  }

  private static void assertRefused(
      Reason reason, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(SluiceException.class)
        .isInstanceOfSatisfying(
            TaskRefusedException.class, e -> assertThat(e.reason()).isEqualTo(reason));
  }

  static List<ConsumerRecord<byte[], byte[]>> records(TestKafka kafka, String topic, int count) {
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(p -> new TopicPartition(topic, p.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () -> {
                consumer.poll(Duration.ofMillis(100)).forEach(all::add);
                return all.size() >= count;
              });
    }
    return all;
  }
}
