// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Recurring tasks while whoever fires them is killed, and while nobody is there. */
@Tag(Scenario.SIDE_BY_SIDE)
class ScheduleIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SECONDS = Scenario.size(12, 60);
  private static final long EVERY_MILLIS = 2_000;

  @Test
  void eachTimeIsFiredOnceThroughKillsAndAsItsPolicyHasItAfterAnOutage() throws IOException {
    try (Scenario scenario = new Scenario("schedule", 4)) {
      WorkerProcess runner =
          scenario.worker("runner", List.of("-Xmx128m"), "--handler", "sleep:0ms", "--no-delays");
      List<WorkerProcess> servers = new ArrayList<>();
      servers.add(server(scenario, 0));
      servers.add(server(scenario, 1));
      Scenario.awaitReady(runner);
      schedule(scenario, "add", "every", "--missed", "all");
      schedule(scenario, "add", "latest", "--missed", "once");
      schedule(scenario, "add", "gone", "--missed", "all");
      Scenario.awaitThat(
          "the first ones", Duration.ofSeconds(40), () -> times(runner, "gone").size() >= 2);
      assertThat(schedule(scenario, "remove", "gone")).contains("is removed");
      awaitSeconds(SECONDS);
      WorkerProcess doomed = servers.remove(0);
      doomed.kill9();
      awaitSeconds(SECONDS);
      servers.remove(0).kill9();
      long nobody = SystemClock.INSTANCE.epochMillis();
      awaitSeconds(8);
      long again = SystemClock.INSTANCE.epochMillis();
      servers.add(server(scenario, 2));
      awaitSeconds(SECONDS);
      scenario.awaitDrained(Duration.ofMinutes(1));
      String listed = schedule(scenario, "list");
      assertThat(runner.stop(Duration.ofSeconds(15))).isZero();

      List<Long> every = times(runner, "every").stream().sorted().toList();
      List<Long> latest = times(runner, "latest");
      List<Long> gone = times(runner, "gone");
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("every", every.size());
      figures.put("latest", latest.size());
      figures.put("gone", gone.size());
      Scenario.figures("schedule", figures);
      assertThat(every).doesNotHaveDuplicates();
      assertThat(every)
          .as("each time of 'every'")
          .hasSize((int) ((every.get(every.size() - 1) - every.get(0)) / EVERY_MILLIS) + 1);
      assertThat(latest).doesNotHaveDuplicates();
      // Of those that were missed only the last one came.
      assertThat(latest.stream().filter(at -> at > nobody + 2_000 && at < again - 2_000)).isEmpty();
      assertThat(every.stream().filter(at -> at > nobody + 2_000 && at < again - 2_000))
          .isNotEmpty();
      assertThat(gone.size()).isLessThan(every.size() / 2);
      assertThat(listed).contains("every", "latest", "*/2 * * * * *").doesNotContain("gone");
    }
  }

  private static WorkerProcess server(Scenario scenario, int number) {
    return scenario.workerOf(
        "other", "server-" + number, List.of("-Xmx128m"), "--handler", "sleep:0ms");
  }

  /** What the command printed. */
  private static String schedule(Scenario scenario, String verb, String... more) {
    List<String> arguments = new ArrayList<>(List.of(verb));
    arguments.addAll(List.of(more));
    if (verb.equals("add")) {
      arguments.addAll(List.of("--queue", Scenario.QUEUE, "--cron", "*/2 * * * * *"));
    }
    arguments.addAll(List.of("-b", scenario.kafka().bootstrapServers()));
    try (JavaProcess command =
        JavaProcess.start(
            "dev.sluice.console.cli.ScheduleMain",
            List.of("-Xmx64m", "-XX:TieredStopAtLevel=1"),
            arguments,
            scenario.folder().resolve("schedule-" + System.nanoTime() + ".log"))) {
      assertThat(command.awaitExit(Duration.ofSeconds(60))).as(command.logTail()).isZero();
      return command.logTail();
    }
  }

  /** The times of a schedule whose tasks were started, in the order in which they were. */
  private static List<Long> times(WorkerProcess runner, String name) {
    List<Long> times = new ArrayList<>();
    Path history = runner.history();
    if (!Files.exists(history)) {
      return times;
    }
    try {
      for (String line : Files.readAllLines(history)) {
        JsonNode node = JSON.readTree(line);
        String id = node.path("id").asText();
        if (node.path("event").asText().equals("start") && id.startsWith(name + "@")) {
          times.add(Instant.parse(id.substring(name.length() + 1)).toEpochMilli());
        }
      }
    } catch (IOException e) {
      return times; // its last line is being written
    }
    return times;
  }

  private static void awaitSeconds(int seconds) {
    long until = SystemClock.INSTANCE.nanos() + Duration.ofSeconds(seconds).toNanos();
    Scenario.awaitThat(
        seconds + " s to pass",
        Duration.ofSeconds(seconds + 10),
        () -> SystemClock.INSTANCE.nanos() - until > 0);
  }
}
