// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.check.StartGaps;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A worker joins and leaves a group of two, again and again under load; at last one is killed.
 * Measures how long partitions stand still meanwhile.
 */
class RebalanceIT {
  private static final int PARTITIONS = 12;
  private static final int REBALANCES = Scenario.size(4, 30);
  private static final int PER_SECOND = 1_200;

  /** How groups agree on who works what. */
  enum Protocol {
    /** KIP-848: the broker assigns. */
    CONSUMER(true, "group.protocol=consumer"),
    COOPERATIVE(
        true,
        "group.protocol=classic",
        "session.timeout.ms=6000",
        "heartbeat.interval.ms=1000",
        "partition.assignment.strategy="
            + "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"),
    EAGER(
        false,
        "group.protocol=classic",
        "session.timeout.ms=6000",
        "heartbeat.interval.ms=1000",
        "partition.assignment.strategy=org.apache.kafka.clients.consumer.RangeAssignor");

    private final boolean incremental;
    private final List<String> properties;

    Protocol(boolean incremental, String... properties) {
      this.incremental = incremental;
      this.properties = List.of(properties);
    }
  }

  /** The short form does not wait for the 45 s and 5 s that a stock broker has for KIP-848. */
  private static Map<String, String> brokerProperties() {
    Map<String, String> properties = new HashMap<>();
    if (!Scenario.full()) {
      properties.put("group.consumer.min.session.timeout.ms", "6000");
      properties.put("group.consumer.session.timeout.ms", "6000");
      properties.put("group.consumer.min.heartbeat.interval.ms", "1000");
      properties.put("group.consumer.heartbeat.interval.ms", "1000");
    }
    return properties;
  }

  private static long sessionMillis(Protocol protocol) {
    return protocol == Protocol.CONSUMER && Scenario.full() ? 45_000 : 6_000;
  }

  private static long heartbeatMillis(Protocol protocol) {
    return protocol == Protocol.CONSUMER && Scenario.full() ? 5_000 : 1_000;
  }

  private record Span(long fromMono, long toMono) {}

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void losesNothingAndKeepsOrderWhileWorkersJoinAndLeave(Protocol protocol) throws Exception {
    if (protocol == Protocol.EAGER) {
      Scenario.onlyInFull("the torture run, and the other two protocols");
    }
    String name = "rebalance-" + protocol.name().toLowerCase(Locale.ROOT);
    try (Scenario scenario = new Scenario(name, PARTITIONS, brokerProperties())) {
      WorkerProcess first = worker(scenario, protocol, "first");
      WorkerProcess second = worker(scenario, protocol, "second");
      Scenario.awaitReady(first, second);
      List<Span> rebalances = new ArrayList<>();
      Span takeover;
      try (StopIT.Background load = StopIT.Background.of(scenario.load(200, 4), PER_SECOND)) {
        awaitPartitions(first, second);
        // From here on it is measured: the first rebalance, of processes that just began, is not.
        awaitBusy(first);
        awaitBusy(second);
        for (int i = 0; i < REBALANCES / 2; i++) {
          long from = SystemClock.INSTANCE.nanos();
          WorkerProcess third = worker(scenario, protocol, "third-" + i);
          Scenario.awaitReady(third);
          awaitPartitions(first, second, third);
          awaitBusy(third);
          long joined = SystemClock.INSTANCE.nanos();
          rebalances.add(new Span(from, joined));
          assertThat(third.stop(Duration.ofSeconds(15))).isZero();
          awaitPartitions(first, second);
          awaitBusy(first);
          rebalances.add(new Span(joined, SystemClock.INSTANCE.nanos()));
        }
        long killed = SystemClock.INSTANCE.nanos();
        second.kill9();
        awaitPartitions(first);
        awaitBusy(first);
        awaitMore(load, PER_SECOND);
        takeover = new Span(killed, SystemClock.INSTANCE.nanos());
      }
      scenario.awaitDrained(Duration.ofMinutes(2));
      assertThat(first.stop(Duration.ofSeconds(15))).isZero();

      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      StartGaps gaps = StartGaps.read(scenario.histories());
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("rebalances", rebalances.size());
      long stayed = 0;
      long moved = 0;
      for (Span span : rebalances) {
        for (StartGaps.Gap gap : gaps.longest(span.fromMono(), span.toMono())) {
          if (gap.moved()) {
            moved = Math.max(moved, gap.nanos());
          } else {
            stayed = Math.max(stayed, gap.nanos());
          }
        }
      }
      long dead =
          gaps.longest(takeover.fromMono(), takeover.toMono()).stream()
              .mapToLong(StartGaps.Gap::nanos)
              .max()
              .orElse(0);
      long stayedMillis = TimeUnit.NANOSECONDS.toMillis(stayed);
      long movedMillis = TimeUnit.NANOSECONDS.toMillis(moved);
      long deadMillis = TimeUnit.NANOSECONDS.toMillis(dead);
      figures.put("longestGapOfStayedMillis", stayedMillis);
      figures.put("longestGapOfMovedMillis", movedMillis);
      figures.put("takeoverAfterKillMillis", deadMillis);
      scenario.figures(report, figures);
      assertThat(report.violations()).isEmpty();
      assertThat(report.duplicates().outlived()).isZero();
      // The hand-over time, two heartbeats, and the assignment interval with some room.
      long handover = 5_000 + 2 * heartbeatMillis(protocol) + 1_500;
      assertThat(movedMillis).isLessThan(handover);
      if (protocol.incremental) {
        assertThat(stayedMillis).isLessThan(1_000);
      }
      assertThat(deadMillis).isLessThan(sessionMillis(protocol) + handover);
    }
  }

  private static void awaitPartitions(WorkerProcess... workers) {
    Scenario.awaitThat(
        "the partitions to be shared by " + workers.length + " workers",
        Duration.ofSeconds(90),
        () -> {
          // All even: a worker that joined is not to be stopped before it has its whole share.
          for (WorkerProcess worker : workers) {
            double own = worker.health().sum("sluice_worker_partitions");
            if (own != PARTITIONS / workers.length) {
              return false;
            }
          }
          return true;
        });
  }

  private static void awaitBusy(WorkerProcess worker) {
    double before = succeeded(worker);
    Scenario.awaitThat(
        "a worker to finish tasks",
        Duration.ofSeconds(30),
        () -> succeeded(worker) > before + PER_SECOND / 10.0);
  }

  private static double succeeded(WorkerProcess worker) {
    return worker.health().metrics().entrySet().stream()
        .filter(e -> e.getKey().startsWith("sluice_worker_attempts_total"))
        .filter(e -> e.getKey().contains("succeeded"))
        .mapToDouble(Map.Entry::getValue)
        .sum();
  }

  private static void awaitMore(StopIT.Background load, int tasks) {
    long from = load.accepted();
    Scenario.awaitThat("more tasks", Duration.ofSeconds(30), () -> load.accepted() > from + tasks);
  }

  private static WorkerProcess worker(Scenario scenario, Protocol protocol, String name) {
    List<String> flags =
        new ArrayList<>(List.of("--handler", "sleep:2ms", "--order", "key", "--concurrency", "16"));
    for (String property : protocol.properties) {
      flags.add("--command-property");
      flags.add(property);
    }
    return scenario.worker(name, List.of("-Xmx128m"), flags.toArray(String[]::new));
  }
}
