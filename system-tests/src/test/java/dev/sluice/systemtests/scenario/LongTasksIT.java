// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
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
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tasks that take far longer than the time between two rebalances. */
@Tag(Scenario.SIDE_BY_SIDE)
class LongTasksIT {
  private static final int PARTITIONS = 12;
  private static final Duration HANDOVER = Duration.ofSeconds(3);
  private static final String TASK = Scenario.full() ? "60s" : "12s";
  private static final int JOINS = Scenario.size(2, 15);
  private static final Pattern EVENT =
      Pattern.compile("^(\\S+) INFO .* (Handing over|Assigned) \\[(.*)\\]$");

  /** Something that a worker's log says of partitions. */
  private record Event(long millis, boolean assigned, List<String> partitions) {}

  @Test
  void noRebalanceWaitsForThemLongerThanTheHandOver() throws IOException {
    try (Scenario scenario = new Scenario("long-tasks", PARTITIONS)) {
      try (Load load = scenario.load(1, 1)) {
        for (int i = 0; i < 2 * PARTITIONS; i++) {
          load.send(("key-" + i).getBytes(UTF_8), "x".getBytes(UTF_8));
        }
        load.flush();
      }
      WorkerProcess first = worker(scenario, "first");
      WorkerProcess second = worker(scenario, "second");
      Scenario.awaitReady(first, second);
      for (int i = 0; i < JOINS; i++) {
        WorkerProcess third = worker(scenario, "third-" + i);
        Scenario.awaitReady(third);
        awaitSeconds(10);
        assertThat(third.stop(HANDOVER.plusSeconds(10))).isZero();
        awaitSeconds(10);
      }
      scenario.awaitDrained(Duration.ofMinutes(6));
      assertThat(first.stop(Duration.ofSeconds(15))).isZero();
      assertThat(second.stop(Duration.ofSeconds(15))).isZero();

      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      long[] millis = handovers(scenario.folder());
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("task", TASK);
      figures.put("joinsAndLeaves", 2 * JOINS);
      figures.put("handedOver", millis.length);
      figures.put("handoverMillis", HANDOVER.toMillis());
      figures.put("longestUntilAssignedMillis", millis[millis.length - 1]);
      scenario.figures(report, figures);
      assertThat(report.violations()).isEmpty();
      assertThat(report.done()).isEqualTo(2 * PARTITIONS);
      assertThat(report.duplicates().interrupted()).as("told to stop").isPositive();
      assertThat(millis[millis.length - 1]).isLessThan(HANDOVER.plusSeconds(2).toMillis());
    }
  }

  private static void awaitSeconds(int seconds) {
    long until = SystemClock.INSTANCE.nanos() + Duration.ofSeconds(seconds).toNanos();
    Scenario.awaitThat(
        seconds + " s to pass",
        Duration.ofSeconds(seconds + 10),
        () -> SystemClock.INSTANCE.nanos() - until > 0);
  }

  /** From when a partition was to be handed over until another worker had it, sorted. */
  private static long[] handovers(Path folder) throws IOException {
    List<Event> events = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path log : files.filter(file -> file.toString().endsWith(".log")).toList()) {
        for (String line : Files.readAllLines(log)) {
          Matcher matcher = EVENT.matcher(line);
          if (matcher.matches()) {
            events.add(
                new Event(
                    LocalTime.parse(matcher.group(1)).toNanoOfDay() / 1_000_000,
                    matcher.group(2).equals("Assigned"),
                    List.of(matcher.group(3).split(", "))));
          }
        }
      }
    }
    events.sort((a, b) -> Long.compare(a.millis(), b.millis()));
    Map<String, Long> given = new HashMap<>();
    List<Long> millis = new ArrayList<>();
    for (Event event : events) {
      for (String partition : event.partitions()) {
        if (!event.assigned()) {
          given.put(partition, event.millis());
        } else if (given.containsKey(partition)) {
          millis.add(event.millis() - given.remove(partition));
        }
      }
    }
    assertThat(millis).as("partitions that changed hands").isNotEmpty();
    long[] sorted = millis.stream().mapToLong(Long::longValue).toArray();
    Arrays.sort(sorted);
    return sorted;
  }

  private static WorkerProcess worker(Scenario scenario, String name) {
    return scenario.worker(
        name,
        List.of("-Xmx128m"),
        "--handler",
        "sleep:" + TASK,
        "--order",
        "key",
        "--concurrency",
        "8",
        "--timeout",
        "10m",
        "--handover",
        HANDOVER.toSeconds() + "s",
        "--no-delays",
        "--command-property",
        "group.protocol=classic",
        "--command-property",
        "session.timeout.ms=10000",
        "--command-property",
        "heartbeat.interval.ms=1000");
  }
}
