// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.systemtests.process.GroupLag;
import dev.sluice.systemtests.process.HealthClient;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** One stuck task in front of very many done ones, and every second one unfinished behind them. */
@Tag(Scenario.SIDE_BY_SIDE)
class LedgerIT {
  private static final int DONE = Scenario.size(50_000, 2_000_000);
  private static final int BEHIND = 10_000;

  /** More than are unfinished in any of the tests: a full lane would stop what is behind them. */
  private static final int BUFFER = 50_000;

  private static final int UNFINISHED = BEHIND / 2 + 1;
  private static final TopicPartition PARTITION = new TopicPartition(Scenario.QUEUE, 0);

  @Test
  void whatWasDoneBehindAStuckTaskIsNotDoneAgainAfterAKill() throws Exception {
    try (Scenario scenario = new Scenario("ledger", 1)) {
      load(scenario);
      WorkerProcess first = worker(scenario, "first", false);
      Scenario.awaitReady(first);
      long doneWanted = DONE + BEHIND / 2;
      Scenario.awaitThat(
          "all but the waiting ones to be done",
          Duration.ofMinutes(5),
          () -> succeeded(first.health()) == doneWanted);
      // What was committed is what counts: its metadata has to know all of it.
      Scenario.awaitThat(
          "the last commit",
          Duration.ofSeconds(30),
          () -> first.health().sum("sluice_worker_uncommitted") == 0);
      first.kill9();
      String metadata = metadata(scenario);

      WorkerProcess second = worker(scenario, "second", true);
      scenario.awaitDrained(Duration.ofMinutes(3));
      double ran = succeeded(second.health());
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("done", doneWanted);
      figures.put("unfinished", UNFINISHED);
      figures.put("metadataBytes", metadata.length());
      figures.put("ranAgain", (long) ran - UNFINISHED);
      Scenario.figures("ledger", figures);
      assertThat(second.stop(Duration.ofSeconds(15))).isZero();
      assertThat(ran - UNFINISHED).as("run again").isBetween(0.0, 1_000.0 + 2);
    }
  }

  /** Gaps at random: they do not fit into the metadata, and nothing of them is forgotten. */
  @Test
  void whatDoesNotFitIntoTheMetadataIsWrittenElsewhere() throws Exception {
    int tasks = 60_000;
    try (Scenario scenario = new Scenario("ledger-overflow", 1)) {
      SplittableRandom random = new SplittableRandom(7);
      int waiting = 1;
      try (Load load = scenario.load(1, 1)) {
        load.send("stuck".getBytes(UTF_8), "wait".getBytes(UTF_8));
        for (int i = 1; i < tasks; i++) {
          boolean waits = random.nextInt(3) == 0;
          waiting += waits ? 1 : 0;
          load.send(
              (waits ? "waits" : "key-" + i).getBytes(UTF_8),
              (waits ? "wait" : "x").getBytes(UTF_8));
        }
        load.flush();
      }
      double done = tasks - waiting;
      WorkerProcess first = worker(scenario, "first", false);
      Scenario.awaitThat(
          "all that do not wait to be done",
          Duration.ofMinutes(2),
          () -> succeeded(first.health()) == done);
      Scenario.awaitThat(
          "the last commit",
          Duration.ofSeconds(30),
          () -> first.health().sum("sluice_worker_uncommitted") == 0);
      first.kill9();
      String metadata = metadata(scenario);
      WorkerProcess second = worker(scenario, "second", true);
      scenario.awaitDrained(Duration.ofMinutes(3));
      double ran = succeeded(second.health());
      assertThat(second.stop(Duration.ofSeconds(15))).isZero();
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("done", (long) done);
      figures.put("unfinished", waiting);
      figures.put("metadata", metadata);
      figures.put("ranAgain", (long) ran - waiting);
      Scenario.figures("ledger-overflow", figures);
      assertThat(metadata).as("a reference").startsWith("R1");
      assertThat(ran - waiting).as("run again").isZero();
    }
  }

  /** Bits that turned, and metadata of somebody else: the committed position alone holds. */
  @Test
  void damagedOrForeignMetadataFallsBackToThePosition() throws Exception {
    for (String kind : List.of("flipped", "foreign")) {
      try (Scenario scenario = new Scenario("ledger-" + kind, 1)) {
        int tasks = 5_000;
        try (Load load = scenario.load(1, 1)) {
          load.send("stuck".getBytes(UTF_8), "wait".getBytes(UTF_8));
          for (int i = 1; i < tasks; i++) {
            load.send(("key-" + i).getBytes(UTF_8), "x".getBytes(UTF_8));
          }
          load.flush();
        }
        WorkerProcess first = worker(scenario, "first", false);
        Scenario.awaitThat(
            "all but the stuck one to be done and committed",
            Duration.ofMinutes(1),
            () ->
                succeeded(first.health()) == tasks - 1
                    && first.health().sum("sluice_worker_uncommitted") == 0);
        first.kill9();
        String known = metadata(scenario);
        String changed = "not ours at all";
        if (kind.equals("flipped")) {
          char flipped = known.charAt(4) == 'A' ? 'B' : 'A';
          changed = known.substring(0, 4) + flipped + known.substring(5);
        }
        OffsetAndMetadata damaged = new OffsetAndMetadata(0, changed);
        Scenario.awaitThat(
            "the dead member to be forgotten, so that its group can be written to",
            Duration.ofMinutes(2),
            () -> altered(scenario, damaged));
        WorkerProcess second = worker(scenario, "second", true);
        scenario.awaitDrained(Duration.ofMinutes(1));
        assertThat(succeeded(second.health())).as("run from the position on").isEqualTo(tasks);
        assertThat(second.process().logTail()).contains("damaged or not Sluice's");
        assertThat(second.stop(Duration.ofSeconds(15))).isZero();
        assertThat(new GroupLag(scenario.admin(), Scenario.GROUP, Scenario.QUEUE, 1).total())
            .isZero();
      }
    }
  }

  private static void load(Scenario scenario) {
    try (Load load = scenario.load(1, 1)) {
      load.send("stuck".getBytes(UTF_8), "wait".getBytes(UTF_8));
      for (int i = 0; i < DONE; i++) {
        load.send(("key-" + i % 100_000).getBytes(UTF_8), "x".getBytes(UTF_8));
      }
      for (int i = 0; i < BEHIND; i++) {
        boolean waits = i % 2 == 1;
        load.send(
            (waits ? "waits" : "more-" + i).getBytes(UTF_8),
            (waits ? "wait" : "x").getBytes(UTF_8));
      }
      load.flush();
    }
  }

  private static WorkerProcess worker(Scenario scenario, String name, boolean open) {
    return scenario.worker(
        name,
        List.of("-Xmx256m", "-D" + GateHandler.OPEN + "=" + open),
        "--handler",
        "class:" + GateHandler.class.getName(),
        "--order",
        "key",
        "--buffer",
        Integer.toString(BUFFER),
        "--timeout",
        "1h",
        "--command-property",
        "group.protocol=classic",
        "--command-property",
        "session.timeout.ms=6000");
  }

  private static double succeeded(HealthClient health) {
    return health.metrics().entrySet().stream()
        .filter(sample -> sample.getKey().startsWith("sluice_worker_attempts_total"))
        .filter(sample -> sample.getKey().contains("succeeded"))
        .mapToDouble(Map.Entry::getValue)
        .sum();
  }

  private static String metadata(Scenario scenario) throws Exception {
    OffsetAndMetadata committed =
        scenario
            .admin()
            .listConsumerGroupOffsets(Scenario.GROUP)
            .partitionsToOffsetAndMetadata()
            .get()
            .get(PARTITION);
    assertThat(committed.offset()).as("the stuck task is not done").isZero();
    assertThat(committed.metadata().length()).isLessThanOrEqualTo(4_096);
    return committed.metadata();
  }

  private static boolean altered(Scenario scenario, OffsetAndMetadata offset) {
    try {
      scenario
          .admin()
          .alterConsumerGroupOffsets(Scenario.GROUP, Map.of(PARTITION, offset))
          .all()
          .get();
      return true;
    } catch (ExecutionException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }
}
