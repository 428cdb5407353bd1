// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.systemtests.check.FleetFigures;
import dev.sluice.systemtests.check.FleetJudge;
import dev.sluice.systemtests.check.FleetLimits;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Limits of the whole fleet, with processes that die and stand still. */
class FleetIT {
  private static final Duration LONG = Duration.ofSeconds(90);
  private static final int RATE = 500;
  private static final int BURST = 50;

  @Test
  void aFleetRateHoldsWhileItsCoordinatorDiesAndStandsStill() {
    try (Scenario scenario = new Scenario("fleet-rate", 10)) {
      List<WorkerProcess> workers = new ArrayList<>();
      for (int i = 0; i < Scenario.size(3, 5); i++) {
        workers.add(
            worker(scenario, "rate-" + i, "--fleet-rate", "" + RATE, "--fleet-burst", "" + BURST));
      }
      Scenario.awaitReady(workers.toArray(WorkerProcess[]::new));
      try (Load load = scenario.load(100, 1)) {
        load.send(Scenario.size(15_000, 75_000));
      }
      awaitStarts(scenario, 500);
      WorkerProcess first = coordinator(workers);
      first.kill9();
      workers.remove(first);
      Scenario.awaitThat("another coordinator", Duration.ofSeconds(10), () -> any(workers));
      awaitStarts(scenario, 5_000);
      WorkerProcess second = coordinator(workers);
      second.suspend();
      workers.remove(second);
      Scenario.awaitThat("a third coordinator", Duration.ofSeconds(10), () -> any(workers));
      awaitStarts(scenario, 9_000);
      second.resume();
      workers.add(second);
      scenario.awaitDrained(Duration.ofMinutes(5));
      workers.forEach(worker -> assertThat(worker.stop(Duration.ofSeconds(15))).isZero());

      FleetFigures figures =
          FleetJudge.judge(
              scenario.histories(), new FleetLimits(RATE, BURST, 0), scenario.disturbances());
      Scenario.figures("fleet-rate", Map.of("figures", figures));
      assertThat(figures.violations()).isEmpty();
    }
  }

  @Test
  void aStrictConcurrencyHoldsWhileAWorkerStandsStill() {
    try (Scenario scenario = new Scenario("fleet-strict", 10)) {
      List<WorkerProcess> workers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        workers.add(
            worker(
                scenario,
                "strict-" + i,
                "--fleet-concurrency",
                "20",
                "--fleet-mode",
                "strict",
                "--timeout",
                "20s"));
      }
      Scenario.awaitReady(workers.toArray(WorkerProcess[]::new));
      try (Load load = scenario.load(100, 2)) {
        load.send(Scenario.size(12_000, 60_000));
      }
      awaitStarts(scenario, 500);
      WorkerProcess victim =
          workers.stream().filter(w -> !coordinating(w)).findFirst().orElseThrow();
      victim.suspend();
      // Longer than a lease: its slots are still its own.
      long seen = starts(scenario);
      Scenario.awaitThat("the others to go on", LONG, () -> starts(scenario) > seen + 3_000);
      victim.resume();
      scenario.awaitDrained(Duration.ofMinutes(5));
      workers.forEach(worker -> assertThat(worker.stop(Duration.ofSeconds(15))).isZero());
      FleetFigures figures =
          FleetJudge.judge(
              scenario.histories(), new FleetLimits(0, 0, 20), scenario.disturbances());
      Scenario.figures("fleet-strict", Map.of("figures", figures));
      assertThat(figures.violations()).isEmpty();
      assertThat(figures.maxConcurrent()).isEqualTo(20);
    }
  }

  @Test
  void aSmallRateGoesRound() {
    try (Scenario scenario = new Scenario("fleet-small", 8)) {
      List<WorkerProcess> workers = new ArrayList<>();
      int count = Scenario.size(4, 10);
      for (int i = 0; i < count; i++) {
        workers.add(worker(scenario, "small-" + i, "--fleet-rate", "5", "--fleet-burst", "1"));
      }
      Scenario.awaitReady(workers.toArray(WorkerProcess[]::new));
      try (Load load = scenario.load(100, 3)) {
        for (int i = 0; i < 4_000; i++) {
          load.send(("k" + i).getBytes(UTF_8), "x".getBytes(UTF_8));
        }
        load.flush();
      }
      awaitStarts(scenario, Scenario.size(80, 450));
      workers.forEach(worker -> worker.process().terminate());
      workers.forEach(worker -> assertThat(worker.process().awaitExit(LONG)).isZero());
      FleetFigures figures =
          FleetJudge.judge(scenario.histories(), new FleetLimits(5, 1, 0), scenario.disturbances());
      Scenario.figures("fleet-small", Map.of("figures", figures));
      assertThat(figures.violations()).isEmpty();
      assertThat(figures.startsBy()).as("every worker has turns").hasSize(count);
    }
  }

  @Test
  void deletedControlTopicsAreMadeAnewAndNothingRunsUnlimitedMeanwhile() throws Exception {
    try (Scenario scenario = new Scenario("fleet-topics", 4)) {
      List<WorkerProcess> workers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        workers.add(worker(scenario, "topics-" + i, "--fleet-rate", "200", "--fleet-burst", "20"));
      }
      Scenario.awaitReady(workers.toArray(WorkerProcess[]::new));
      try (Load load = scenario.load(100, 4)) {
        load.send(12_000);
      }
      awaitStarts(scenario, 400);
      scenario
          .admin()
          .deleteTopics(List.of("sluice.grants", "sluice.reports", "sluice.settings"))
          .all()
          .get(10, TimeUnit.SECONDS);
      long deleted = SystemClock.INSTANCE.nanos();
      // What was held runs out within a lease; then there are none until somebody grants again.
      Scenario.awaitThat(
          "leases to end",
          LONG,
          () -> workers.stream().allMatch(w -> w.health().sum("sluice_fleet_share_rate") == 0));
      long seen = starts(scenario);
      Scenario.awaitThat("new grants", LONG, () -> starts(scenario) > seen + 20);
      double seconds = (SystemClock.INSTANCE.nanos() - deleted) / 1e9;
      awaitStarts(scenario, seen + 600);
      workers.forEach(worker -> worker.process().terminate());
      workers.forEach(worker -> assertThat(worker.process().awaitExit(LONG)).isZero());
      FleetFigures figures =
          FleetJudge.judge(
              scenario.histories(), new FleetLimits(200, 20, 0), scenario.disturbances());
      Scenario.figures("fleet-topics", Map.of("figures", figures, "grantsAgainSeconds", seconds));
      assertThat(figures.violations()).isEmpty();
    }
  }

  private static WorkerProcess worker(Scenario scenario, String name, String... limits) {
    List<String> flags =
        new ArrayList<>(
            List.of(
                "--handler",
                "sleep:5ms",
                "--order",
                "none",
                "--concurrency",
                "16",
                "--command-property",
                "session.timeout.ms=6000",
                "--command-property",
                "heartbeat.interval.ms=1000"));
    flags.addAll(List.of(limits));
    return scenario.worker(name, List.of("-Xmx192m"), flags.toArray(String[]::new));
  }

  private static boolean coordinating(WorkerProcess worker) {
    return worker.health().sum("sluice_fleet_coordinating") > 0;
  }

  private static boolean any(List<WorkerProcess> workers) {
    return workers.stream().anyMatch(FleetIT::coordinating);
  }

  private static WorkerProcess coordinator(List<WorkerProcess> workers) {
    Scenario.awaitThat("a coordinator", Duration.ofSeconds(20), () -> any(workers));
    return workers.stream().filter(FleetIT::coordinating).findFirst().orElseThrow();
  }

  private static long starts(Scenario scenario) {
    return FleetJudge.judge(scenario.histories(), FleetLimits.NONE, List.of()).starts();
  }

  private static void awaitStarts(Scenario scenario, long count) {
    Scenario.awaitThat(count + " starts", Duration.ofMinutes(4), () -> starts(scenario) >= count);
  }
}
