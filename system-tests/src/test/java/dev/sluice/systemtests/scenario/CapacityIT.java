// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.HistoryChecker;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.BacklogSampler;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The capacity of a queue, with three producers that push as fast as they can. */
class CapacityIT {
  private static final int CAPACITY = Scenario.size(2_000, 10_000);
  private static final int TASKS = Scenario.size(60_000, 400_000);

  @Test
  void producersShareWhatWorkersDrainAndHoldWhileThereIsNoWorker() throws IOException {
    try (Scenario scenario = new Scenario("capacity", 12)) {
      Path tasks = scenario.folder().resolve("tasks.jsonl");
      StringBuilder lines = new StringBuilder();
      for (int i = 0; i < TASKS; i++) {
        lines.append("{\"n\":").append(i).append("}\n");
      }
      Files.writeString(tasks, lines);
      List<WorkerProcess> workers = new ArrayList<>();
      workers.add(worker(scenario, "capacity-1"));
      workers.add(worker(scenario, "capacity-2"));
      Scenario.awaitReady(workers.toArray(WorkerProcess[]::new));
      List<JavaProcess> producers = new ArrayList<>();
      List<Path> histories = new ArrayList<>();
      try (BacklogSampler backlog =
          new BacklogSampler(
              scenario.kafka().bootstrapServers(), Scenario.GROUP, Scenario.QUEUE, 12)) {
        for (int i = 1; i <= 3; i++) {
          Path history = scenario.folder().resolve("producer-" + i + ".jsonl");
          histories.add(history);
          producers.add(producer(scenario, "producer-" + i, tasks, history));
        }
        // The first to come fill the empty queue; what is shared is what is drained from then on.
        Scenario.awaitThat(
            "all producers to be admitted",
            Duration.ofSeconds(60),
            () -> histories.stream().allMatch(history -> lines(history) > 100));
        long[] accepted = new long[3];
        for (int i = 0; i < 3; i++) {
          accepted[i] = -lines(histories.get(i));
        }
        awaitAccepted(histories, total(histories) + CAPACITY * 4L);
        for (int i = 0; i < 3; i++) {
          accepted[i] += lines(histories.get(i));
        }

        workers.forEach(WorkerProcess::kill9);
        Scenario.awaitThat(
            "producers to hold",
            Duration.ofSeconds(60),
            () -> {
              long before = total(histories);
              Scenario.awaitThat("a sample", Duration.ofSeconds(5), () -> later(backlog, 40));
              return total(histories) == before;
            });
        long held = total(histories);
        long since = SystemClock.INSTANCE.nanos();
        WorkerProcess fresh = worker(scenario, "capacity-3");
        WorkerProcess second = worker(scenario, "capacity-4");
        Scenario.awaitReady(fresh, second);
        long readyNanos = SystemClock.INSTANCE.nanos();
        awaitAccepted(histories, held + 1);
        double again = (SystemClock.INSTANCE.nanos() - readyNanos) / 1e9;
        double fromStart = (SystemClock.INSTANCE.nanos() - since) / 1e9;
        awaitAccepted(histories, held + CAPACITY);

        producers.forEach(JavaProcess::terminate);
        for (JavaProcess producer : producers) {
          assertThat(producer.awaitExit(Duration.ofSeconds(40))).as(producer.logTail()).isZero();
        }
        scenario.awaitDrained(Duration.ofMinutes(3));
        assertThat(fresh.stop(Duration.ofSeconds(15))).isZero();
        assertThat(second.stop(Duration.ofSeconds(15))).isZero();
        Report report =
            new HistoryChecker(
                    CheckOptions.undisturbed(Order.NONE)
                        .disturbedBy(scenario.disturbances(), Duration.ofSeconds(1))
                        .allowingUnexplained(Long.MAX_VALUE))
                .check(histories, scenario.histories());
        Scenario.figures(
            "capacity",
            Map.of(
                "capacity",
                CAPACITY,
                "maxBacklog",
                backlog.most(),
                "samples",
                backlog.samples(),
                "accepted",
                accepted,
                "jain",
                jain(accepted),
                "lost",
                report.lost(),
                "againAfterReadySeconds",
                again,
                "againAfterStartSeconds",
                fromStart));
        assertThat(report.lost()).isZero();
        assertThat(backlog.samples()).isGreaterThan(50);
        assertThat(backlog.most()).isBetween(CAPACITY / 2L, (long) CAPACITY);
        assertThat(jain(accepted)).isGreaterThan(0.95);
      } finally {
        producers.forEach(JavaProcess::close);
      }
    }
  }

  private static boolean later(BacklogSampler backlog, int more) {
    long now = backlog.samples();
    Scenario.awaitThat("samples", Duration.ofSeconds(30), () -> backlog.samples() >= now + more);
    return true;
  }

  private static double jain(long[] shares) {
    double sum = 0;
    double squares = 0;
    for (long share : shares) {
      sum += share;
      squares += (double) share * share;
    }
    return sum * sum / (shares.length * squares);
  }

  private static WorkerProcess worker(Scenario scenario, String name) {
    return scenario.worker(
        name,
        List.of("-Xmx192m"),
        "--handler",
        "sleep:20ms",
        "--order",
        "none",
        "--concurrency",
        "16",
        "--capacity",
        Integer.toString(CAPACITY),
        "--command-property",
        "session.timeout.ms=6000",
        "--command-property",
        "heartbeat.interval.ms=1000");
  }

  private static JavaProcess producer(Scenario scenario, String name, Path tasks, Path history) {
    return JavaProcess.start(
        "dev.sluice.producer.cli.ProduceMain",
        List.of("-Xmx192m"),
        List.of(
            Scenario.QUEUE,
            "-b",
            scenario.kafka().bootstrapServers(),
            "--file",
            tasks.toString(),
            "--key-field",
            "n",
            "--name",
            name,
            "--history",
            history.toString()),
        scenario.folder().resolve(name + ".log"));
  }

  private static void awaitAccepted(List<Path> histories, long count) {
    Scenario.awaitThat(count + " accepted", Duration.ofMinutes(4), () -> total(histories) >= count);
  }

  private static long total(List<Path> histories) {
    return histories.stream().mapToLong(CapacityIT::lines).sum();
  }

  private static long lines(Path file) {
    if (!Files.exists(file)) {
      return 0;
    }
    try (Stream<String> all = Files.lines(file)) {
      return all.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
