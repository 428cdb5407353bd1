// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.ResultTimeoutException;
import dev.sluice.Task;
import dev.sluice.TaskFailedException;
import dev.sluice.TaskResult;
import dev.sluice.producer.ResultHandle;
import dev.sluice.producer.TaskHandle;
import dev.sluice.producer.TaskProducer;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.WorkerProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Submitters learn how their tasks ended, in other processes than those that ran them. */
@Tag(Scenario.SIDE_BY_SIDE)
class ResultIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TASKS = 10_000;
  private static final int FAILING = 100;

  @ParameterizedTest
  @ValueSource(strings = {"transactional", "at-least-once"})
  void aResultAFailureAndAnExpiryArrive(String effects) {
    try (Scenario scenario = new Scenario("results-" + effects, 3);
        TaskProducer producer = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
      Task<byte[]> task = task("good").withResult();
      TaskHandle early = producer.submit(task);
      assertThatThrownBy(() -> early.result(Duration.ofMillis(50)))
          .isInstanceOf(ResultTimeoutException.class);
      TaskHandle late = producer.submit(task.deadline(Instant.now().minusSeconds(1)));
      TaskHandle unasked = producer.submit(task("unasked"));
      assertThatThrownBy(() -> unasked.result(PATIENCE)).isInstanceOf(IllegalStateException.class);
      WorkerProcess worker = worker(scenario, "worker", effects);
      assertThat(early.result(Map.class, PATIENCE)).isEqualTo(Map.of("length", 4));
      TaskHandle bad = producer.submit(task("fail").withResult());

      TaskFailedException failure =
          catchThrowableOfType(TaskFailedException.class, () -> bad.result(PATIENCE));
      assertThat(failure.result().outcome()).isEqualTo(TaskResult.Outcome.DEAD);
      assertThat(failure.result().errorType()).isEqualTo("dev.sluice.PermanentTaskException");
      assertThat(failure.result().errorMessage()).isEqualTo("it says so");
      assertThat(failure.result().attempts()).isEqualTo(1);
      assertThat(failure).hasMessageContaining("failed after 1 attempt");

      TaskFailedException expiry =
          catchThrowableOfType(TaskFailedException.class, () -> late.result(PATIENCE));
      assertThat(expiry.result().outcome()).isEqualTo(TaskResult.Outcome.EXPIRED);
      assertThat(expiry.result().attempts()).isZero();
      Scenario.awaitReady(worker);
      assertThat(worker.stop(Duration.ofSeconds(15))).isZero();
    }
  }

  @Test
  void aProducerThatWasStartedAnewFindsTheResultsOfTheOneBefore() {
    try (Scenario scenario = new Scenario("results-restart", 3)) {
      List<String> ids = new ArrayList<>();
      try (TaskProducer first = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
        for (int i = 0; i < 500; i++) {
          ids.add(first.submitAsync(task("x".repeat(i % 50)).withResult()).id());
        }
        ids.add(first.submit(task("own id").id("mine-1").withResult()).id());
      }
      WorkerProcess worker = worker(scenario, "worker", "at-least-once");
      Scenario.awaitReady(worker);
      scenario.awaitDrained(PATIENCE); // all results are there before anybody asks
      try (TaskProducer second = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
        List<ResultHandle> handles =
            ids.stream().map(id -> second.handle(Scenario.QUEUE, id)).toList();
        for (int i = 0; i < 500; i++) {
          assertThat(handles.get(i).result(Map.class, PATIENCE))
              .isEqualTo(Map.of("length", i % 50));
        }
        assertThat(second.handle(Scenario.QUEUE, "mine-1").result(Map.class, PATIENCE))
            .isEqualTo(Map.of("length", 6));
      }
      assertThat(worker.stop(Duration.ofSeconds(15))).isZero();
    }
  }

  @Test
  void theCommandPrintsALineForEachAndItsExitCodeTells() throws Exception {
    try (Scenario scenario = new Scenario("results-command", 6)) {
      WorkerProcess worker = worker(scenario, "worker", "at-least-once");
      Path input = scenario.folder().resolve("tasks.jsonl");
      List<String> lines = new ArrayList<>();
      for (int i = 0; i < TASKS; i++) {
        boolean fails = i % (TASKS / FAILING) == 7;
        lines.add("{\"n\":" + i + (fails ? ",\"fail\":true}" : "}"));
      }
      Files.write(input, lines);
      Path log = scenario.folder().resolve("produce.log");
      JavaProcess produce =
          JavaProcess.start(
              "dev.sluice.producer.cli.ProduceMain",
              List.of("-XX:TieredStopAtLevel=1"),
              List.of(
                  Scenario.QUEUE,
                  "-b",
                  scenario.kafka().bootstrapServers(),
                  "--file",
                  input.toString(),
                  "--wait"),
              log);
      int code = produce.awaitExit(Duration.ofMinutes(3));

      List<String> printed = Files.readAllLines(log, UTF_8);
      Set<String> ids = new HashSet<>();
      Map<String, Integer> outcomes = new LinkedHashMap<>();
      for (String line : printed) {
        if (line.startsWith("{")) {
          JsonNode result = new ObjectMapper().readTree(line);
          ids.add(result.get("id").asText());
          outcomes.merge(result.get("outcome").asText(), 1, Integer::sum);
          if (result.get("outcome").asText().equals("dead")) {
            assertThat(result.get("error").get("message").asText()).isEqualTo("it says so");
          } else {
            assertThat(result.get("result").get("length").asInt()).isPositive();
          }
        }
      }
      Scenario.figures("results-command", Map.of("exit", code, "outcomes", outcomes));
      assertThat(outcomes).isEqualTo(Map.of("done", TASKS - FAILING, "dead", FAILING));
      assertThat(ids).hasSize(TASKS);
      assertThat(printed).anyMatch(line -> line.contains(FAILING + " failed"));
      assertThat(code).isEqualTo(1);
      assertThat(worker.stop(Duration.ofSeconds(15))).isZero();
    }
  }

  private static Task<byte[]> task(String text) {
    return Task.of(Scenario.QUEUE, "measure", text.getBytes(UTF_8));
  }

  private static WorkerProcess worker(Scenario scenario, String name, String effects) {
    return scenario.worker(
        name,
        List.of("-Xmx256m"),
        "--handler",
        "class:" + ResultHandler.class.getName(),
        "--effects",
        effects);
  }
}
