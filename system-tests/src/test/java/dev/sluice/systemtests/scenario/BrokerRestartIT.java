// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The only broker goes away under load and comes back. */
class BrokerRestartIT {
  private static final int PARTITIONS = 12;
  private static final int PER_SECOND = 1_000;

  /** The default of {@code uncommitted} per partition, which bounds duplicates without commits. */
  private static final long UNCOMMITTED = 4_000;

  enum How {
    STOP,
    KILL
  }

  @ParameterizedTest
  @EnumSource(How.class)
  void losesNothingWhileTheBrokerIsAway(How how) throws Exception {
    Scenario.onlyInFull("the torture run restarts and kills brokers");
    String name = how == How.STOP ? "broker-stop" : "broker-kill";
    try (Scenario scenario = new Scenario(name, PARTITIONS)) {
      WorkerProcess first = worker(scenario, "first");
      WorkerProcess second = worker(scenario, "second");
      Scenario.awaitReady(first, second);
      long awayMillis;
      try (StopIT.Background load = StopIT.Background.of(scenario.load(200, 5), PER_SECOND)) {
        awaitAccepted(load, PER_SECOND);
        long from = SystemClock.INSTANCE.nanos();
        if (how == How.STOP) {
          scenario.kafka().stop(1);
        } else {
          scenario.kafka().kill(1);
        }
        scenario.kafka().restart(1);
        awayMillis = (SystemClock.INSTANCE.nanos() - from) / 1_000_000;
        awaitAccepted(load, 3 * PER_SECOND);
      }
      scenario.awaitDrained(Duration.ofMinutes(2));
      assertThat(first.stop(Duration.ofSeconds(15))).isZero();
      assertThat(second.stop(Duration.ofSeconds(15))).isZero();

      Report report =
          scenario.check(
              CheckOptions.undisturbed(Order.KEY).allowingUnexplained(PARTITIONS * UNCOMMITTED));
      scenario.figures(report, Map.of("awayMillis", awayMillis));
      assertThat(report.violations()).isEmpty();
    }
  }

  private static void awaitAccepted(StopIT.Background load, long more) {
    long from = load.accepted();
    Scenario.awaitThat(
        more + " more tasks", Duration.ofSeconds(90), () -> load.accepted() > from + more);
  }

  private static WorkerProcess worker(Scenario scenario, String name) {
    return scenario.worker(
        name,
        List.of("-Xmx128m"),
        "--handler",
        "sleep:5ms",
        "--order",
        "key",
        "--concurrency",
        "16",
        "--command-property",
        "group.protocol=classic");
  }
}
