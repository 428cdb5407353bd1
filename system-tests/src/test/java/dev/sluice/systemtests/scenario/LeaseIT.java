// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The faults of {@link CrashIT} and a rebalance, where tasks are taken and not handled. */
@Tag(Scenario.SIDE_BY_SIDE)
class LeaseIT {
  private static final int TASKS = Scenario.size(12_000, 200_000);
  private static final int KILLS = Scenario.size(2, 5);

  @Test
  void leasesLoseNothingKeepOrderAndRepeatNoMoreThanWasUncommitted() {
    try (Scenario scenario = new Scenario("leases", 6)) {
      WorkerProcess survivor = taker(scenario, "survivor");
      WorkerProcess victim = taker(scenario, "victim-0");
      try (Load load = scenario.load(100, 1)) {
        // The first commits of a group, on a broker that has just started, take longer than others.
        Scenario.awaitReady(survivor, victim);
        load.send(2_000);
        scenario.awaitDrained(Duration.ofMinutes(1));
        for (int kill = 1; kill <= KILLS; kill++) {
          Scenario.awaitReady(survivor, victim);
          load.send((TASKS - 2_000) / (KILLS + 1));
          WorkerProcess doomed = victim;
          Scenario.awaitThat(
              "the victim to be at work",
              Duration.ofMinutes(2),
              () -> doomed.health().sum("sluice_worker_attempts_total") >= 100);
          doomed.kill9();
          victim = taker(scenario, "victim-" + kill);
        }
        Scenario.awaitReady(victim);
        load.send(TASKS - load.accepted());
        WorkerProcess leaver = victim;
        Scenario.awaitThat(
            "the last one to be at work",
            Duration.ofMinutes(2),
            () -> leaver.health().sum("sluice_worker_attempts_total") >= 100);
      }
      assertThat(victim.stop(Duration.ofSeconds(15))).as("it leaves in the middle").isZero();
      scenario.awaitDrained(Duration.ofMinutes(5));
      assertThat(survivor.stop(Duration.ofSeconds(15))).isZero();

      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      scenario.figures(report, Map.of("kills", KILLS));
      assertThat(report.violations()).isEmpty();
      assertThat(report.accepted() + report.unknown()).isEqualTo(TASKS);
    }
  }

  private static WorkerProcess taker(Scenario scenario, String name) {
    return scenario.taker(
        name,
        "--command-property",
        "group.protocol=classic",
        "--command-property",
        "session.timeout.ms=6000",
        "--command-property",
        "heartbeat.interval.ms=1000");
  }
}
