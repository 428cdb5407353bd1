// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.Cancellation;
import dev.sluice.Order;
import dev.sluice.SluiceException;
import dev.sluice.Task;
import dev.sluice.TaskResult;
import dev.sluice.producer.Batch;
import dev.sluice.producer.TaskProducer;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import dev.sluice.wire.BatchCount;
import dev.sluice.wire.TaskCodec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Batches whose tasks submit others into them, while producers and workers die. */
@Tag(Scenario.SIDE_BY_SIDE)
class BatchIT {
  private static final int TASKS = Scenario.size(6_000, 100_000);
  private static final String BATCH = "night-of-the-21st";

  @Test
  void whatIsToBeDoneAtTheEndIsDoneOnceAfterAllOthers() throws Exception {
    try (Scenario scenario = new Scenario("batch-complete", 4);
        TaskProducer producer = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
      List<WorkerProcess> workers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        workers.add(
            scenario.worker(
                "worker-" + i,
                List.of("-Xmx192m"),
                "--handler",
                "sleep:50ms",
                "--order",
                "none",
                "--effects",
                "transactional",
                "--dedupe",
                "1h"));
      }
      workers.forEach(Scenario::awaitReady);
      try (Batch batch = producer.batch("with-an-end")) {
        Instant late = Instant.ofEpochMilli(SystemClock.INSTANCE.epochMillis() + 12_000);
        batch.add(Task.of(Scenario.QUEUE, "t", "x".getBytes(UTF_8)).id("late").notBefore(late));
        for (int i = 0; i < 500; i++) {
          batch.add(part(i));
        }
        batch.add(part(17));
        batch.seal(Task.of(Scenario.QUEUE, "end", "x".getBytes(UTF_8)).withResult());
        assertThat(producer.cancel("late", late, Duration.ofSeconds(11)).get())
            .isEqualTo(Cancellation.CANCELLED);
        assertThat(batch.join(Duration.ofMinutes(1))).isTrue();
        // The cancelled one and the second one of an id were not run, and are not waited for.
        assertThat(batch.progress()).isEqualTo(new BatchCount(502, 0, 500, 2, true));
      }
      TaskResult end =
          producer.handle(Scenario.QUEUE, "with-an-end.complete").ended().get(30, TimeUnit.SECONDS);
      assertThat(end.outcome()).isEqualTo(TaskResult.Outcome.DONE);
      workers.forEach(worker -> assertThat(worker.stop(Duration.ofSeconds(15))).isZero());
      Map<String, Long> starts = Offers.starts(scenario.histories());
      assertThat(starts).hasSize(501);
      long last =
          starts.entrySet().stream()
              .filter(start -> start.getKey().startsWith("part-"))
              .mapToLong(Map.Entry::getValue)
              .max()
              .orElseThrow();
      assertThat(starts.get("with-an-end.complete")).isGreaterThan(last);
    }
  }

  private static Task<byte[]> part(int number) {
    String key = "key-" + number % 10;
    return Task.of(Scenario.QUEUE, "t", "x".getBytes(UTF_8)).id("part-" + number).key(key);
  }

  @Test
  void joinReturnsOnceAfterAllHaveEndedAndTheCountsAreExact() throws Exception {
    try (Scenario scenario = new Scenario("batch", 6);
        TaskProducer watcher = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
      // Opened here only so that its topic is there; the next one who opens it fences this one.
      watcher.batch(BATCH).close();
      CompletableFuture<Boolean> joined =
          CompletableFuture.supplyAsync(() -> join(watcher, Duration.ofMinutes(5)));
      WorkerProcess survivor = worker(scenario, "survivor", "transactional");
      WorkerProcess victim = worker(scenario, "victim-0", "transactional");
      Scenario.awaitReady(survivor, victim);
      JavaProcess first = fill(scenario, "first");
      for (int kill = 1; kill <= 2; kill++) {
        WorkerProcess doomed = victim;
        Scenario.awaitReady(doomed);
        Scenario.awaitThat(
            "the victim to be at work",
            Duration.ofMinutes(2),
            () -> doomed.health().sum("sluice_worker_attempts_total") >= 100);
        doomed.kill9();
        if (kill == 1) {
          first.kill9();
        }
        victim = worker(scenario, "victim-" + kill, "transactional");
        if (kill == 1) {
          assertThat(joined).as("the batch is not sealed").isNotDone();
          JavaProcess second = fill(scenario, "second");
          assertThat(second.awaitExit(Duration.ofMinutes(3))).isZero();
        }
      }
      assertThat(joined.get()).isTrue();
      Scenario.awaitReady(victim);
      try (Batch sealed = watcher.batch(BATCH)) {
        BatchCount count = sealed.progress();
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("added", count.added());
        figures.put("submitted", count.submitted());
        figures.put("done", count.done());
        figures.put("failed", count.failed());
        int parents = TASKS / 2;
        assertThat(count)
            .isEqualTo(
                new BatchCount(TASKS, parents, TASKS + parents - TASKS / 100, TASKS / 100, true));
        assertThat(sealed.isClosed()).isTrue();
        assertThatThrownBy(() -> sealed.add(Task.of(Scenario.QUEUE, "t", "late".getBytes(UTF_8))))
            .isInstanceOf(IllegalStateException.class);
        scenario.awaitDrained(Duration.ofMinutes(1));
        assertThat(survivor.stop(Duration.ofSeconds(15))).isZero();
        assertThat(victim.stop(Duration.ofSeconds(15))).isZero();
        Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
        scenario.figures(report, figures);
      }
    }
  }

  @Test
  void whoOpensABatchAgainKnowsWhatIsCountedBehindATransactionThatADeadWorkerLeftOpen()
      throws Exception {
    try (Scenario scenario = new Scenario("batch-behind", 1);
        TaskProducer first = TaskProducer.connect(scenario.kafka().bootstrapServers());
        TaskProducer second = TaskProducer.connect(scenario.kafka().bootstrapServers());
        KafkaProducer<byte[], byte[]> dead =
            new KafkaProducer<>(
                Map.of(
                    "bootstrap.servers",
                    scenario.kafka().bootstrapServers(),
                    "transactional.id",
                    "a-dead-worker"),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        Batch before = first.batch("b")) {
      for (int i = 0; i < 30; i++) {
        before.add(part(i));
      }
      before.flush();
      String counts = FleetDefinition.DEFAULT.batchesTopic();
      int partition = TaskCodec.partitionOf("b", dead.partitionsFor(counts).size());
      dead.initTransactions();
      dead.beginTransaction();
      dead.send(new ProducerRecord<>(counts, partition, "another".getBytes(UTF_8), new byte[] {1}))
          .get();
      for (int i = 30; i < 50; i++) {
        before.add(part(i));
      }
      before.flush();
      CompletableFuture<Batch> opened = CompletableFuture.supplyAsync(() -> second.batch("b"));
      Scenario.awaitThat(
          "the first one to be fenced",
          Duration.ofSeconds(30),
          () -> {
            try {
              before.add(part(99));
              before.flush();
              return false;
            } catch (SluiceException e) {
              return true;
            }
          });
      assertThatThrownBy(() -> opened.get(3, TimeUnit.SECONDS))
          .as("what is behind the open transaction is not known")
          .isInstanceOf(TimeoutException.class);
      dead.abortTransaction();
      try (Batch again = opened.get(30, TimeUnit.SECONDS)) {
        assertThat(again.added()).isEqualTo(again.progress().added()).isGreaterThanOrEqualTo(50);
      }
    }
  }

  @Test
  void aBatchInAQueueThatCannotCountItIsRefusedByItsWorkers() throws Exception {
    try (Scenario scenario = new Scenario("batch-refused", 1);
        TaskProducer producer = TaskProducer.connect(scenario.kafka().bootstrapServers());
        Batch batch = producer.batch("b")) {
      WorkerProcess worker = worker(scenario, "worker", "at-least-once");
      Scenario.awaitReady(worker);
      batch.add(Task.of(Scenario.QUEUE, "t", "plain".getBytes(UTF_8)));
      batch.seal();
      Scenario.awaitThat(
          "the dead letter",
          Duration.ofSeconds(30),
          () ->
              worker.health().metrics().entrySet().stream()
                  .anyMatch(e -> e.getKey().contains("outcome=\"dead\"") && e.getValue() > 0));
      assertThat(batch.join(Duration.ofMillis(100))).as("nobody counts it").isFalse();
      assertThat(worker.stop(Duration.ofSeconds(15))).isZero();
    }
  }

  private static boolean join(TaskProducer producer, Duration timeout) {
    try {
      return producer.joinBatch(BATCH, timeout);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static JavaProcess fill(Scenario scenario, String name) {
    return JavaProcess.start(
        BatchMain.class.getName(),
        List.of("-XX:TieredStopAtLevel=1"),
        List.of(
            scenario.kafka().bootstrapServers(),
            BATCH,
            Integer.toString(TASKS),
            name.equals("first") ? Long.toString(8_000_000_000L / TASKS) : "0"),
        scenario.folder().resolve(name + "-filler.log"));
  }

  private static WorkerProcess worker(Scenario scenario, String name, String effects) {
    return scenario.worker(
        name,
        List.of("-Xmx256m"),
        "--handler",
        "class:" + BatchHandler.class.getName(),
        "--effects",
        effects,
        "--command-property",
        "group.protocol=classic",
        "--command-property",
        "session.timeout.ms=6000",
        "--command-property",
        "heartbeat.interval.ms=1000");
  }
}
