// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.Task;
import dev.sluice.producer.TaskProducer;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.WorkerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A second task of one id is told from the first by the log, whoever reads it. */
@Tag(Scenario.SIDE_BY_SIDE)
class DedupeIT {
  private static final int IDS = Scenario.size(6_000, 60_000);
  private static final int PARTITIONS = 4;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What the histories say of each id. */
  private static final class Seen {
    final Map<String, Set<String>> startedAt = new HashMap<>();
    final Map<String, Integer> done = new HashMap<>();
    final Set<String> duplicates = new HashSet<>();

    void read(Path history) throws IOException {
      for (String line : Files.readAllLines(history)) {
        if (!line.endsWith("}")) {
          continue; // torn by the kill
        }
        JsonNode event = JSON.readTree(line);
        String id = event.path("id").asText();
        String at = event.path("partition").asText() + "/" + event.path("offset").asText();
        switch (event.path("event").asText()) {
          case "start" -> startedAt.computeIfAbsent(id, i -> new HashSet<>()).add(at);
          case "done" -> done.merge(id, 1, Integer::sum);
          case "duplicate" -> duplicates.add(at);
          default -> {
            // of no interest here
          }
        }
      }
    }
  }

  @Test
  void aSecondTaskIsNotRunThroughKillsAndRebalances() throws Exception {
    try (Scenario scenario = new Scenario("dedupe", PARTITIONS)) {
      int sent;
      try (TaskProducer producer = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
        sent = publish(producer);
        WorkerProcess first = worker(scenario, "first", "sleep:2ms");
        WorkerProcess doomed = worker(scenario, "doomed", "sleep:2ms");
        Scenario.awaitReady(first, doomed);
        long total = sent;
        Scenario.awaitThat(
            "half of the work", Duration.ofMinutes(2), () -> scenario.lag().total() < total / 2);
        doomed.kill9();
        WorkerProcess second = worker(scenario, "second", "sleep:2ms");
        Scenario.awaitReady(second); // before that a signal ends it at once
        scenario.awaitDrained(Duration.ofMinutes(3));
        assertThat(first.stop(Duration.ofSeconds(15))).isZero();
        assertThat(second.stop(Duration.ofSeconds(15))).isZero();

        // Nobody is left who remembers: what comes now is known from the log alone.
        for (int id = 0; id < IDS; id += 10) {
          submit(producer, id);
          sent++;
        }
        assertThat(producer.flush(Duration.ofMinutes(1))).isTrue();
        WorkerProcess last = worker(scenario, "last", "sleep:2ms");
        Scenario.awaitReady(last);
        scenario.awaitDrained(Duration.ofMinutes(1));
        assertThat(
                last.health().metrics().entrySet().stream()
                    .filter(m -> m.getKey().contains("outcome=\"duplicate\""))
                    .mapToDouble(Map.Entry::getValue)
                    .sum())
            .isEqualTo(IDS / 10);
        assertThat(last.stop(Duration.ofSeconds(15))).isZero();
      }
      Seen seen = new Seen();
      for (Path history : scenario.histories()) {
        seen.read(history);
      }
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("sent", sent);
      figures.put("ids", IDS);
      figures.put("duplicates", seen.duplicates.size());
      figures.put("ranTwice", seen.startedAt.values().stream().filter(s -> s.size() > 1).count());
      Scenario.figures("dedupe", figures);
      assertThat(seen.done).as("each id is done").hasSize(IDS);
      assertThat(seen.startedAt).allSatisfy((id, at) -> assertThat(at).as(id).hasSize(1));
      assertThat(seen.duplicates).hasSize(sent - IDS);
    }
  }

  /** Each id once, a third of them a second and a ninth a third time, near and far. */
  private static int publish(TaskProducer producer) throws InterruptedException {
    SplittableRandom random = new SplittableRandom(11);
    int sent = 0;
    for (int id = 0; id < IDS; id++) {
      submit(producer, id);
      sent++;
      for (int again = 0; again < 2 && random.nextInt(3) == 0; again++) {
        submit(producer, again == 0 ? id : random.nextInt(id + 1));
        sent++;
      }
    }
    assertThat(producer.flush(Duration.ofMinutes(1))).isTrue();
    return sent;
  }

  @SuppressWarnings("CheckReturnValue") // flushing waits for all of them
  private static void submit(TaskProducer producer, int number) {
    Task<byte[]> task = Task.of(Scenario.QUEUE, "job", "x".getBytes(UTF_8)).id("task-" + number);
    // Half of them have no key: there the id alone decides on the partition.
    producer.submitAsync(number % 2 == 0 ? task : task.key("key-" + number % 100));
  }

  /** A task that is put back from the dead letters has been there before, and is to run. */
  @Test
  void whatIsRedrivenIsNoDuplicateOfItself() throws Exception {
    try (Scenario scenario = new Scenario("dedupe-redrive", 1)) {
      WorkerProcess failing = worker(scenario, "failing", "exec:false", "--attempts", "1");
      Scenario.awaitReady(failing);
      try (TaskProducer producer = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
        for (int i = 0; i < 6; i++) {
          submit(producer, i % 3);
        }
        assertThat(producer.flush(Duration.ofMinutes(1))).isTrue();
      }
      scenario.awaitDrained(Duration.ofMinutes(1));
      assertThat(failing.stop(Duration.ofSeconds(15))).isZero();
      try (JavaProcess redrive =
          JavaProcess.start(
              "dev.sluice.console.cli.DeadMain",
              List.of("-Xmx128m"),
              List.of(
                  "redrive",
                  Scenario.QUEUE,
                  "-b",
                  scenario.kafka().bootstrapServers(),
                  "--execute"),
              scenario.folder().resolve("redrive.log"))) {
        assertThat(redrive.awaitExit(Duration.ofMinutes(1))).isZero();
      }
      WorkerProcess working = worker(scenario, "working", "sleep:1ms");
      Scenario.awaitReady(working);
      scenario.awaitDrained(Duration.ofMinutes(1));
      assertThat(working.stop(Duration.ofSeconds(15))).isZero();
      Seen seen = new Seen();
      seen.read(working.history());
      assertThat(seen.done).hasSize(3);
      Seen before = new Seen();
      before.read(failing.history());
      assertThat(before.duplicates).hasSize(3);
    }
  }

  private static WorkerProcess worker(
      Scenario scenario, String name, String handler, String... more) {
    List<String> flags =
        new ArrayList<>(
            List.of(
                "--handler",
                handler,
                "--dedupe",
                "1h",
                "--command-property",
                "group.protocol=classic",
                "--command-property",
                "session.timeout.ms=6000"));
    flags.addAll(List.of(more));
    return scenario.worker(name, List.of("-Xmx256m"), flags.toArray(String[]::new));
  }
}
