// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.systemtests.check.FleetFigures;
import dev.sluice.systemtests.check.FleetJudge;
import dev.sluice.systemtests.check.FleetLimits;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** So many tasks at once in all workers together, while one of them stands still. */
@Tag(Scenario.SIDE_BY_SIDE)
class FleetConcurrencyIT {
  private static final int SLOTS = 20;
  private static final Duration LONG = Duration.ofSeconds(120);

  @ParameterizedTest
  @ValueSource(strings = {"strict", "soft"})
  void holdsWhileAWorkerStandsStill(String mode) {
    try (Scenario scenario = new Scenario("fleet-" + mode, 10)) {
      Fleet fleet =
          new Fleet(
                  scenario,
                  "--handler",
                  "sleep:50ms",
                  "--fleet-concurrency",
                  "" + SLOTS,
                  "--fleet-mode",
                  mode,
                  "--timeout",
                  "4s")
              .of(mode, 3);
      try (Load load = scenario.load(100, 2)) {
        load.send(Scenario.size(5_000, 20_000));
      }
      fleet.awaitStarts(500);
      WorkerProcess victim = fleet.anotherThanTheCoordinator();
      long seen = fleet.starts();
      long stopped = SystemClock.INSTANCE.nanos();
      victim.suspend();
      fleet.forget(victim);
      // Longer than its lease; in full also longer than a strict slot stays its own.
      int seconds = Scenario.size(8, 30);
      Scenario.awaitThat(
          "the others to go on",
          LONG,
          () ->
              fleet.starts() > seen + 1_000
                  && SystemClock.INSTANCE.nanos() - stopped > seconds * 1_000_000_000L);
      victim.resume();
      fleet.awaitStarts(fleet.starts() + 500);
      scenario.awaitDrained(Duration.ofMinutes(3));
      fleet.stopAll();
      // It may have halted itself, because its slots were no longer its own.
      victim.process().terminate();
      int exit = victim.process().awaitExit(Duration.ofSeconds(20));
      FleetFigures figures = fleet.judge(new FleetLimits(0, 0, "strict".equals(mode) ? SLOTS : 0));
      long held =
          FleetJudge.judge(List.of(victim.history()), FleetLimits.NONE, List.of()).maxConcurrent();
      Scenario.figures(
          "fleet-" + mode, Map.of("figures", figures, "heldByVictim", held, "victimExit", exit));
      assertThat(figures.violations()).isEmpty();
      if ("soft".equals(mode)) {
        assertThat(figures.maxConcurrent()).isBetween((long) SLOTS, SLOTS + held);
      } else {
        assertThat(figures.maxConcurrent()).isEqualTo(SLOTS);
      }
    }
  }
}
