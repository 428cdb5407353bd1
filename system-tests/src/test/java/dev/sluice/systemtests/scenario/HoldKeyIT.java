// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.Order;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.systemtests.process.Zipf;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every twentieth key fails for a while, again and again, and its dead letters are run again: order
 * is kept, and the other keys hardly notice. Phases with and without failures alternate, and their
 * latencies are compared.
 */
@Tag(Scenario.SIDE_BY_SIDE)
class HoldKeyIT {
  private static final int PER_SECOND = 1_000;
  private static final int KEYS = 1_000;
  private static final int PHASES = Scenario.size(4, 18);
  private static final long PHASE_MILLIS = 8_000;
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void failingKeysKeepTheirOrderAndHoldNobodyElseUp() throws IOException {
    Scenario.onlyInFull("the torture run has failing keys that are held, and redrives");
    try (Scenario scenario = new Scenario("hold-key", 6)) {
      WorkerProcess worker =
          scenario.worker(
              "worker",
              List.of("-Xmx256m"),
              "--handler",
              "class:" + HoldKeyHandler.class.getName(),
              "--order",
              "key",
              "--concurrency",
              "32",
              "--attempts",
              "3");
      Scenario.awaitReady(worker);
      long begun;
      try (Load load = scenario.load(1, 1)) {
        begun = publish(load);
      }
      scenario.awaitDrained(Duration.ofMinutes(3));
      int redriven = redrive(scenario);
      scenario.awaitDrained(Duration.ofMinutes(1));
      assertThat(worker.stop(Duration.ofSeconds(15))).isZero();

      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      List<List<Long>> latencies = latencies(scenario, worker.history(), begun);
      Map<String, Object> figures = new LinkedHashMap<>();
      double well = percentile(latencies.get(0), 0.99);
      double failing = percentile(latencies.get(1), 0.99);
      figures.put("redriveExit", redriven);
      figures.put("p50WellMicros", percentile(latencies.get(0), 0.5));
      figures.put("p50FailingMicros", percentile(latencies.get(1), 0.5));
      figures.put("p99WellMicros", well);
      figures.put("p99FailingMicros", failing);
      figures.put("ratioP99", failing / well);
      scenario.figures(report, figures);
      assertThat(report.violations()).isEmpty();
      assertThat(report.dead()).as("dead letters, to be run again").isPositive();
      assertThat(redriven).isZero();
    }
  }

  private static boolean fails(int key) {
    return key % 20 == 7;
  }

  /** Returns when the first phase began, in epoch milliseconds. */
  private static long publish(Load load) {
    SplittableRandom random = new SplittableRandom(5);
    Zipf zipf = new Zipf(KEYS, 1.0);
    long begun = SystemClock.INSTANCE.epochMillis();
    long sent = 0;
    for (long now = begun;
        now < begun + PHASES * PHASE_MILLIS;
        now = SystemClock.INSTANCE.epochMillis()) {
      long phase = (now - begun) / PHASE_MILLIS;
      for (; sent < (now - begun) * PER_SECOND / 1_000; sent++) {
        int key = zipf.next(random);
        // For half of its phase, so that what waits has ended when the next one begins.
        long until = phase % 2 == 1 && fails(key) ? begun + phase * PHASE_MILLIS + 4_000 : 0;
        load.send(
            ("key-" + key).getBytes(UTF_8), ("{\"failsUntil\":" + until + "}").getBytes(UTF_8));
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
    load.flush();
    return begun;
  }

  private static int redrive(Scenario scenario) {
    try (JavaProcess redrive =
        JavaProcess.start(
            "dev.sluice.console.cli.DeadMain",
            List.of("-Xmx128m"),
            List.of(
                "redrive", Scenario.QUEUE, "-b", scenario.kafka().bootstrapServers(), "--execute"),
            scenario.folder().resolve("redrive.log"))) {
      return redrive.awaitExit(Duration.ofMinutes(2));
    }
  }

  /** Of the keys that never fail, from accepted to done: in phases without and with failures. */
  private static List<List<Long>> latencies(Scenario scenario, Path worked, long begun)
      throws IOException {
    Map<String, Long> accepted = new HashMap<>();
    for (JsonNode line : lines(scenario.folder().resolve("load-0.history.jsonl"))) {
      accepted.put(line.path("id").asText(), line.path("at").asLong());
    }
    List<List<Long>> latencies = List.of(new ArrayList<>(), new ArrayList<>());
    for (JsonNode line : lines(worked)) {
      Long from = accepted.get(line.path("id").asText());
      int key = Integer.parseInt(line.path("key").asText().substring("key-".length()));
      if (from != null && line.path("event").asText().equals("done") && !fails(key)) {
        long phase = (from / 1_000 - begun) / PHASE_MILLIS;
        if (phase >= 2) { // the first ones are compiled in
          latencies.get((int) (phase % 2)).add(line.path("at").asLong() - from);
        }
      }
    }
    return latencies;
  }

  private static List<JsonNode> lines(Path file) throws IOException {
    List<JsonNode> all = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      all.add(JSON.readTree(line));
    }
    return all;
  }

  private static double percentile(List<Long> of, double p) {
    long[] sorted = of.stream().mapToLong(Long::longValue).sorted().toArray();
    return sorted[(int) (sorted.length * p)];
  }
}
