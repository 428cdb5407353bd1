// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.Order;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A handler in Python whose processes are killed while they work. */
@Tag(Scenario.SIDE_BY_SIDE)
class LinesIT {
  private static final int KILLS = Scenario.size(4, 12);
  private static final long EVERY_MILLIS = Scenario.size(3_000, 5_000);
  private static final int PER_SECOND = 100;

  private static final String SCRIPT =
      """
      import json, sys, time
      for line in sys.stdin:
          task = json.loads(line)
          time.sleep(0.02)
          print(json.dumps({"id": task["id"], "outcome": "done"}), flush=True)
      """;

  @Test
  void killedProcessesCostTheirOwnTaskAnAttemptAndNothingElse() throws Exception {
    Assumptions.assumeTrue(hasPython(), "there is no python3 here");
    try (Scenario scenario = new Scenario("lines", 6)) {
      Path script = Files.writeString(scenario.folder().resolve("handler.py"), SCRIPT);
      WorkerProcess worker =
          scenario.worker(
              "worker",
              List.of("-Xmx256m"),
              "--handler",
              "lines:python3 " + script.toAbsolutePath(),
              "--concurrency",
              "6");
      Scenario.awaitReady(worker);
      AtomicBoolean enough = new AtomicBoolean();
      int killed = 0;
      int zombies = 0;
      CountDownLatch loaded = new CountDownLatch(1);
      try (Load load = scenario.load(8, 5)) {
        Thread sender =
            new Thread(
                () -> {
                  load.sendPaced(PER_SECOND, enough::get);
                  loaded.countDown();
                });
        sender.start();
        CountDownLatch never = new CountDownLatch(1);
        for (int i = 0; i < KILLS; i++) {
          boolean ignored = never.await(EVERY_MILLIS, TimeUnit.MILLISECONDS);
          List<ProcessHandle> children = children(worker);
          if (!children.isEmpty()) {
            children.get(i % children.size()).destroyForcibly();
            killed++;
          }
          zombies = Math.max(zombies, zombies(worker));
        }
        enough.set(true);
        assertThat(loaded.await(30, TimeUnit.SECONDS)).isTrue();
      }
      scenario.awaitDrained(Duration.ofSeconds(60));
      List<ProcessHandle> left = children(worker);
      assertThat(worker.stop(Duration.ofSeconds(15))).isZero();

      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      Set<String> again = new HashSet<>();
      int failed = 0;
      for (String line : Files.readAllLines(worker.history(), UTF_8)) {
        JsonNode event = new ObjectMapper().readTree(line);
        // What was only held back until a new process may be started has used no attempt.
        failed += event.path("error").asText().endsWith(".RetriableTaskException") ? 1 : 0;
        if (event.get("attempt").asInt() > 1) {
          again.add(event.get("id").asText());
        }
      }
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("killed", killed);
      figures.put("ranAgain", again.size());
      figures.put("failedAttempts", failed);
      figures.put("zombiesMost", zombies);
      scenario.figures(report, figures);
      assertThat(killed).isEqualTo(KILLS);
      assertThat(report.lost()).isZero();
      assertThat(report.orderViolations()).isZero();
      assertThat(report.dead()).isZero();
      assertThat(again).as("tasks with a second attempt").hasSizeLessThanOrEqualTo(killed);
      assertThat(failed).as("each interrupted task ran once more").isEqualTo(again.size());
      // What ended a moment ago may not have been waited for yet.
      assertThat(zombies).as("ended processes that nobody waited for").isLessThanOrEqualTo(1);
      for (ProcessHandle child : left) {
        Scenario.awaitThat(
            "the processes of the worker to end", Duration.ofSeconds(10), () -> !child.isAlive());
      }
    }
  }

  private static List<ProcessHandle> children(WorkerProcess worker) {
    return ProcessHandle.of(worker.pid())
        .map(handle -> handle.children().toList())
        .orElse(List.of());
  }

  /** Processes of the worker that have ended and that it has not waited for. */
  private static int zombies(WorkerProcess worker) throws IOException {
    List<String> found = new ArrayList<>();
    for (ProcessHandle child : children(worker)) {
      Path stat = Path.of("/proc", Long.toString(child.pid()), "stat");
      try {
        String text = Files.readString(stat, UTF_8);
        if (text.substring(text.lastIndexOf(')') + 2).startsWith("Z")) {
          found.add(text);
        }
      } catch (java.nio.file.NoSuchFileException e) {
        // It ended meanwhile.
      }
    }
    return found.size();
  }

  private static boolean hasPython() {
    for (String folder : System.getenv("PATH").split(":", -1)) {
      if (Files.isExecutable(Path.of(folder, "python3"))) {
        return true;
      }
    }
    return false;
  }
}
