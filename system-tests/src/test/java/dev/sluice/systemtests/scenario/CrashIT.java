// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** kill -9 of one of two workers, again and again, while both have plenty to do. */
class CrashIT {
  private static final int TASKS = Scenario.size(20_000, 200_000);
  private static final int KILLS = Scenario.size(2, 5);

  @Test
  void losesNothingKeepsOrderAndRepeatsNoMoreThanWasUncommitted() {
    try (Scenario scenario = new Scenario("crash", 12)) {
      try (Load load = scenario.load(200, 1)) {
        load.send(TASKS);
      }
      WorkerProcess survivor = worker(scenario, "survivor");
      WorkerProcess victim = worker(scenario, "victim-0");
      for (int kill = 1; kill <= KILLS; kill++) {
        Scenario.awaitReady(survivor, victim);
        WorkerProcess doomed = victim;
        long from = (long) TASKS * (KILLS + 1 - kill) / (KILLS + 1);
        Scenario.awaitThat(
            "the work to come to " + from + " tasks left",
            Duration.ofMinutes(3),
            () -> scenario.lag().total() <= from && busy(doomed));
        victim.kill9();
        victim = worker(scenario, "victim-" + kill);
      }
      scenario.awaitDrained(Duration.ofMinutes(5));
      assertThat(survivor.stop(Duration.ofSeconds(15))).isZero();
      assertThat(victim.stop(Duration.ofSeconds(15))).isZero();

      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      scenario.figures(report, Map.of("kills", KILLS));
      assertThat(report.violations()).isEmpty();
      assertThat(report.accepted() + report.unknown()).isEqualTo(TASKS);
      assertThat(report.duplicates().disturbances()).hasSize(KILLS);
    }
  }

  private static boolean busy(WorkerProcess worker) {
    return worker.health().sum("sluice_worker_running") > 0;
  }

  private static WorkerProcess worker(Scenario scenario, String name) {
    return scenario.worker(
        name,
        List.of("-Xmx256m"),
        "--handler",
        "sleep:3ms",
        "--order",
        "key",
        "--concurrency",
        "8",
        "--command-property",
        "group.protocol=classic",
        "--command-property",
        "session.timeout.ms=6000",
        "--command-property",
        "heartbeat.interval.ms=1000");
  }
}
