// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.systemtests.check.FleetFigures;
import dev.sluice.systemtests.check.FleetLimits;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What becomes of a fleet rate when what it is kept with goes away and comes back. */
@Tag(Scenario.SIDE_BY_SIDE)
class FleetHealingIT {
  private static final Duration LONG = Duration.ofSeconds(90);
  private static final FleetLimits LIMITS = new FleetLimits(200, 20, 0);

  private static Fleet fleet(Scenario scenario) {
    return new Fleet(
        scenario, "--handler", "sleep:5ms", "--fleet-rate", "200", "--fleet-burst", "20");
  }

  private static void load(Scenario scenario, int tasks) {
    try (Load load = scenario.load(100, 4)) {
      load.send(tasks);
    }
  }

  @Test
  void deletedControlTopicsAreMadeAnewAndNothingRunsUnlimitedMeanwhile() throws Exception {
    try (Scenario scenario = new Scenario("fleet-topics", 4)) {
      Fleet fleet = fleet(scenario).of("topics", 2);
      load(scenario, 12_000);
      fleet.awaitStarts(400);
      scenario
          .admin()
          .deleteTopics(List.of("sluice.grants", "sluice.reports", "sluice.settings"))
          .all()
          .get(10, TimeUnit.SECONDS);
      long deleted = SystemClock.INSTANCE.nanos();
      // What was held runs out within a lease; then there are none until somebody grants again.
      awaitNoShare(fleet);
      double seconds = secondsUntilStarts(fleet, deleted);
      fleet.awaitStarts(fleet.starts() + 600);
      judge(fleet, "fleet-topics", seconds);
    }
  }

  @Test
  void aBrokerThatRestartsBringsNewGrantsSoonAfter() {
    try (Scenario scenario = new Scenario("fleet-broker", 4)) {
      Fleet fleet = fleet(scenario).of("broker", 2);
      load(scenario, 12_000);
      fleet.awaitStarts(400);
      scenario.kafka().kill(1);
      awaitNoShare(fleet);
      scenario.kafka().restart(1);
      long healthy = SystemClock.INSTANCE.nanos();
      double seconds = secondsUntilStarts(fleet, healthy);
      fleet.awaitStarts(fleet.starts() + 600);
      judge(fleet, "fleet-broker", seconds);
    }
  }

  @Test
  void aWorkerThatIsBackUnderItsNameDoesNotTakeTheGrantsOfTheOneBefore() {
    try (Scenario scenario = new Scenario("fleet-name", 4)) {
      Fleet fleet = fleet(scenario).of("name", 3);
      load(scenario, 16_000);
      fleet.awaitStarts(400);
      WorkerProcess coordinator = fleet.coordinator();
      for (int i = 0; i < Scenario.size(2, 8); i++) {
        WorkerProcess victim = fleet.anotherThanTheCoordinator();
        // What the coordinator was about to grant comes when the successor is there.
        coordinator.suspend();
        fleet.kill9(victim);
        WorkerProcess again = fleet.join("name-again-" + i, "--name", "name-1");
        Scenario.awaitThat("its history", LONG, () -> again.process().cpu().toMillis() > 800);
        coordinator.resume();
        Scenario.awaitReady(again);
        fleet.awaitStarts(fleet.starts() + 300);
      }
      judge(fleet, "fleet-name", 0);
    }
  }

  private static void awaitNoShare(Fleet fleet) {
    Scenario.awaitThat(
        "leases to end",
        LONG,
        () ->
            fleet.members().stream()
                .allMatch(worker -> worker.health().sum("sluice_fleet_share_rate") == 0));
  }

  private static double secondsUntilStarts(Fleet fleet, long since) {
    long seen = fleet.starts();
    Scenario.awaitThat("new grants", LONG, () -> fleet.starts() > seen + 20);
    return (SystemClock.INSTANCE.nanos() - since) / 1e9;
  }

  private static void judge(Fleet fleet, String name, double seconds) {
    fleet.stopAll();
    FleetFigures figures = fleet.judge(LIMITS);
    Scenario.figures(name, Map.of("figures", figures, "grantsAgainSeconds", seconds));
    assertThat(figures.violations()).isEmpty();
    // Promised: 10 s. The machines that test this are shared.
    assertThat(seconds).isLessThan(20);
  }
}
