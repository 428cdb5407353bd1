// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The downstream of a queue fails completely for a while: its tasks wait, and do not die. */
@Tag(Scenario.SIDE_BY_SIDE)
class OutageIT {
  private static final int SECONDS = Scenario.size(20, 120);
  private static final int PER_SECOND = 500;

  @Test
  void aDownstreamThatIsAwayDoesNotTurnItsQueueIntoDeadLetters() throws Exception {
    try (Scenario scenario = new Scenario("outage", 8)) {
      Path away = scenario.folder().resolve("away").toAbsolutePath();
      WorkerProcess worker =
          scenario.worker(
              "worker",
              List.of("-Xmx128m", "-D" + OutageHandler.FILE + "=" + away),
              "--handler",
              "class:" + OutageHandler.class.getName(),
              "--order",
              "key",
              "--concurrency",
              "16");
      Scenario.awaitReady(worker);
      AtomicBoolean over = new AtomicBoolean();
      double recovered;
      try (Load load = scenario.load(50, 9)) {
        Thread sender = new Thread(() -> load.sendPaced(PER_SECOND, over::get), "load");
        sender.start();
        Scenario.awaitThat(
            "some tasks",
            Duration.ofSeconds(30),
            () -> worker.health().sum("sluice_worker_attempts_total") > PER_SECOND);
        outage(away);
        long ended = SystemClock.INSTANCE.nanos();
        double before = succeeded(worker);
        Scenario.awaitThat(
            "work to go on", Duration.ofSeconds(30), () -> succeeded(worker) > before + PER_SECOND);
        recovered = (SystemClock.INSTANCE.nanos() - ended) / 1e9;
        over.set(true);
        sender.join();
      }
      scenario.awaitDrained(Duration.ofMinutes(2));
      assertThat(worker.stop(Duration.ofSeconds(15))).isZero();
      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      scenario.figures(report, Map.of("outageSeconds", SECONDS, "goesOnAfterSeconds", recovered));
      assertThat(report.violations()).isEmpty();
      assertThat(report.lost()).isZero();
      // Probes after 1, 3, 7 and 15 s, then each ten seconds; two of them for a task that had
      // failed
      // before.
      assertThat(report.dead()).isLessThanOrEqualTo(2 + SECONDS / 20);
      assertThat(report.done() + report.dead()).isEqualTo(report.accepted());
    }
  }

  private static double succeeded(WorkerProcess worker) {
    return worker.health().sum("messaging_process_duration_seconds_count");
  }

  private static void outage(Path away) throws IOException {
    Files.createFile(away);
    long begun = SystemClock.INSTANCE.nanos();
    Scenario.awaitThat(
        "the end of the outage",
        Duration.ofSeconds(SECONDS + 60),
        () -> SystemClock.INSTANCE.nanos() - begun > SECONDS * 1_000_000_000L);
    Files.delete(away);
  }
}
