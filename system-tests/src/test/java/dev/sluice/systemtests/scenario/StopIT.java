// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A worker that stands still longer than its session, and workers that are asked to stop. */
@Tag(Scenario.SIDE_BY_SIDE)
class StopIT {
  private static final int PARTITIONS = 12;
  private static final int PER_SECOND = 1_000;

  @Test
  void aWorkerThatStoodStillLongerThanItsSessionRepeatsOnlyWhatItWasAt() throws Exception {
    try (Scenario scenario = new Scenario("suspend", PARTITIONS)) {
      WorkerProcess steady = worker(scenario, "steady");
      WorkerProcess sleeper = worker(scenario, "sleeper");
      Scenario.awaitReady(steady, sleeper);
      try (Background load = Background.of(scenario.load(200, 2), PER_SECOND)) {
        awaitSettled(steady, sleeper);
        sleeper.suspend();
        Scenario.awaitThat(
            "the other to own everything",
            Duration.ofSeconds(30),
            () -> partitions(steady) == PARTITIONS);
        sleeper.resume();
        Scenario.awaitThat(
            "it to have partitions again",
            Duration.ofSeconds(60),
            () -> partitions(sleeper) > 0 && partitions(steady) < PARTITIONS && busy(sleeper));
      }
      scenario.awaitDrained(Duration.ofMinutes(2));
      assertThat(sleeper.stop(Duration.ofSeconds(15))).isZero();
      assertThat(steady.stop(Duration.ofSeconds(15))).isZero();

      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      scenario.figures(report, Map.of());
      assertThat(report.violations()).isEmpty();
    }
  }

  @Test
  void workersThatAreAskedToStopExitWithZeroAndNothingRunsTwice() throws Exception {
    try (Scenario scenario = new Scenario("stop", PARTITIONS)) {
      WorkerProcess steady = worker(scenario, "steady");
      WorkerProcess leaver = worker(scenario, "leaver");
      Scenario.awaitReady(steady, leaver);
      long stopMillis;
      try (Background load = Background.of(scenario.load(200, 3), PER_SECOND)) {
        awaitSettled(steady, leaver);
        long begun = SystemClock.INSTANCE.nanos();
        assertThat(leaver.stop(Duration.ofSeconds(15))).isZero();
        stopMillis = (SystemClock.INSTANCE.nanos() - begun) / 1_000_000;
        Scenario.awaitThat(
            "the other to own everything",
            Duration.ofSeconds(30),
            () -> partitions(steady) == PARTITIONS);
      }
      scenario.awaitDrained(Duration.ofMinutes(2));
      assertThat(steady.stop(Duration.ofSeconds(15))).isZero();

      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      scenario.figures(report, Map.of("stopMillis", stopMillis));
      assertThat(report.violations()).isEmpty();
      assertThat(report.duplicates().duplicates()).isZero();
      assertThat(report.done()).isEqualTo(report.accepted());
    }
  }

  /** A group that rebalances refuses commits: who leaves then has to wait for it. */
  @Test
  void aWorkerThatIsAskedToStopInTheMiddleOfARebalanceExitsWithZero() throws Exception {
    try (Scenario scenario = new Scenario("stop-in-rebalance", PARTITIONS)) {
      WorkerProcess steady = worker(scenario, "steady");
      WorkerProcess leaver = worker(scenario, "leaver");
      Scenario.awaitReady(steady, leaver);
      WorkerProcess joiner;
      try (Background load = Background.of(scenario.load(200, 4), PER_SECOND)) {
        awaitSettled(steady, leaver);
        double owned = partitions(steady) + partitions(leaver);
        joiner = worker(scenario, "joiner");
        Scenario.awaitThat(
            "the group to begin a rebalance",
            Duration.ofSeconds(60),
            () -> partitions(steady) + partitions(leaver) < owned);
        assertThat(leaver.stop(Duration.ofSeconds(15))).isZero();
        Scenario.awaitThat(
            "the others to own everything",
            Duration.ofSeconds(60),
            () -> partitions(steady) + partitions(joiner) == PARTITIONS);
      }
      scenario.awaitDrained(Duration.ofMinutes(2));
      assertThat(steady.stop(Duration.ofSeconds(15))).isZero();
      assertThat(joiner.stop(Duration.ofSeconds(15))).isZero();

      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      scenario.figures(report, Map.of());
      assertThat(report.violations()).isEmpty();
    }
  }

  /**
   * A joiner makes the group wait for a member that has died, for as long as its session: longer
   * than a stop may last. The consumer sends no commit meanwhile.
   */
  @Test
  void aWorkerThatIsAskedToStopWhileItsGroupWaitsForADeadMemberLeavesNothingToRunAgain()
      throws Exception {
    try (Scenario scenario = new Scenario("stop-beside-a-dead", PARTITIONS)) {
      WorkerProcess dead = worker(scenario, "dead", 30_000);
      WorkerProcess leaver = worker(scenario, "leaver", 30_000);
      Scenario.awaitReady(dead, leaver);
      WorkerProcess joiner;
      long stopMillis;
      try (Background load = Background.of(scenario.load(200, 5), PER_SECOND)) {
        awaitSettled(dead, leaver);
        dead.sample();
        dead.kill9();
        double refused = refused(leaver);
        joiner = worker(scenario, "joiner", 30_000);
        Scenario.awaitThat(
            "commits to be refused for a while",
            Duration.ofSeconds(25),
            () -> refused(leaver) > refused + 5);
        long begun = SystemClock.INSTANCE.nanos();
        assertThat(leaver.stop(Duration.ofSeconds(15))).isZero();
        stopMillis = (SystemClock.INSTANCE.nanos() - begun) / 1_000_000;
        Scenario.awaitThat(
            "the joiner to own everything",
            Duration.ofSeconds(60),
            () -> partitions(joiner) == PARTITIONS);
      }
      scenario.awaitDrained(Duration.ofMinutes(2));
      assertThat(joiner.stop(Duration.ofSeconds(15))).isZero();

      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      scenario.figures(report, Map.of("stopMillis", stopMillis));
      assertThat(report.violations()).isEmpty();
    }
  }

  private static double refused(WorkerProcess worker) {
    return worker.health().sum("sluice_worker_commit_failures_total");
  }

  private static void awaitSettled(WorkerProcess one, WorkerProcess other) {
    Scenario.awaitThat(
        "both to have partitions and work",
        Duration.ofSeconds(60),
        () ->
            partitions(one) > 0
                && partitions(other) > 0
                && partitions(one) + partitions(other) == PARTITIONS
                && busy(other));
  }

  private static boolean busy(WorkerProcess worker) {
    return worker.health().sum("sluice_worker_running") > 0;
  }

  private static double partitions(WorkerProcess worker) {
    return worker.health().sum("sluice_worker_partitions");
  }

  private static WorkerProcess worker(Scenario scenario, String name) {
    return worker(scenario, name, 6_000);
  }

  private static WorkerProcess worker(Scenario scenario, String name, int sessionMillis) {
    return scenario.worker(
        name,
        List.of("-Xmx256m"),
        "--handler",
        "sleep:10ms",
        "--order",
        "key",
        "--concurrency",
        "16",
        "--command-property",
        "group.protocol=classic",
        "--command-property",
        "session.timeout.ms=" + sessionMillis,
        "--command-property",
        "heartbeat.interval.ms=1000");
  }

  /** A load on a thread of its own until it is closed. */
  static final class Background implements AutoCloseable {
    private final AtomicBoolean stop = new AtomicBoolean();
    private final Load load;
    private final Thread thread;

    private Background(Load load, int perSecond) {
      this.load = load;
      this.thread = new Thread(() -> load.sendPaced(perSecond, stop::get), "load");
    }

    static Background of(Load load, int perSecond) {
      Background background = new Background(load, perSecond);
      background.thread.start();
      return background;
    }

    long accepted() {
      return load.accepted();
    }

    @Override
    public void close() throws InterruptedException {
      stop.set(true);
      thread.join(Duration.ofMinutes(3).toMillis());
      load.close();
    }
  }
}
