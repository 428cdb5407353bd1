// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.Order;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Disturbance;
import dev.sluice.systemtests.check.HistoryChecker;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The answer to a member's request to join is lost while its connection stays. The client goes on
 * with the partitions that it has, for five minutes; the group gives them to another after six
 * seconds.
 */
@Tag(Scenario.SIDE_BY_SIDE)
class LostJoinIT {
  private static final int PARTITIONS = 4;
  private static final int PER_SECOND = 300;

  @ParameterizedTest
  @ValueSource(strings = {"at-least-once", "transactional"})
  void nobodyWorksWhatTheGroupHasGivenToAnotherAndTheMemberComesBack(String effects)
      throws Exception {
    if (effects.equals("transactional")) {
      Scenario.onlyInFull("the other one");
    }
    try (JoinLosingProxy proxy = new JoinLosingProxy();
        Scenario scenario =
            new Scenario(
                "lost-join-" + effects,
                PARTITIONS,
                Map.of("advertised.listeners", "PLAINTEXT://" + proxy.address()),
                proxy.brokerPort())) {
      WorkerProcess first = worker(scenario, "first", effects);
      Scenario.awaitReady(first);
      Disturbance disturbance;
      long backMillis;
      try (StopIT.Background load = StopIT.Background.of(scenario.load(200, 4), PER_SECOND)) {
        awaitPartitions(first, PARTITIONS);
        long from = SystemClock.INSTANCE.nanos();
        proxy.loseJoinOf("first-" + Scenario.GROUP);
        WorkerProcess second = worker(scenario, "second", effects);
        Scenario.awaitThat("a lost answer", Duration.ofSeconds(30), proxy::lost);
        long lost = SystemClock.INSTANCE.nanos();
        awaitPartitions(second, PARTITIONS);
        awaitPartitions(first, PARTITIONS / 2);
        awaitPartitions(second, PARTITIONS / 2);
        long back = SystemClock.INSTANCE.nanos();
        backMillis = TimeUnit.NANOSECONDS.toMillis(back - lost);
        disturbance = Disturbance.outage(from, back);
        long accepted = load.accepted();
        Scenario.awaitThat(
            "more tasks", Duration.ofSeconds(30), () -> load.accepted() > accepted + PER_SECOND);
      }
      scenario.awaitDrained(Duration.ofMinutes(1));

      Report report =
          new HistoryChecker(
                  CheckOptions.undisturbed(Order.KEY)
                      .disturbedBy(List.of(disturbance), Scenario.COMMIT_WINDOW))
              .check(scenario.producers(), scenario.histories());
      Map<Integer, Integer> owners = ownersInTurn(scenario.histories());
      scenario.figures(report, Map.of("backAfterMillis", backMillis, "owners", owners));
      assertThat(report.violations()).isEmpty();
      // The first, the second, and perhaps the first again: never both at a time.
      assertThat(owners).hasSize(PARTITIONS);
      assertThat(owners.values()).allMatch(turns -> turns == 2 || turns == 3);
      // Two sessions and the hand-over, and what the others need to give partitions back.
      assertThat(backMillis).isLessThan(90_000);
    }
  }

  /** How often the process changes that starts tasks of a partition, and one. */
  private static Map<Integer, Integer> ownersInTurn(List<Path> histories) throws IOException {
    record Start(long mono, int partition, Path by) {}

    ObjectMapper json = new ObjectMapper();
    List<Start> starts = new ArrayList<>();
    for (Path history : histories) {
      for (String line : Files.readAllLines(history)) {
        JsonNode event = json.readTree(line);
        if (event.path("event").asText().equals("start")) {
          starts.add(
              new Start(event.path("mono").asLong(), event.path("partition").asInt(), history));
        }
      }
    }
    starts.sort((a, b) -> Long.compare(a.mono(), b.mono()));
    Map<Integer, Integer> turns = new TreeMap<>();
    Map<Integer, Path> last = new TreeMap<>();
    for (Start start : starts) {
      if (!start.by().equals(last.put(start.partition(), start.by()))) {
        turns.merge(start.partition(), 1, Integer::sum);
      }
    }
    return turns;
  }

  private static void awaitPartitions(WorkerProcess worker, int count) {
    Scenario.awaitThat(
        count + " partitions",
        Duration.ofSeconds(100),
        () -> worker.health().sum("sluice_worker_partitions") == count);
  }

  private static WorkerProcess worker(Scenario scenario, String name, String effects) {
    List<String> flags =
        new ArrayList<>(List.of("--handler", "sleep:2ms", "--order", "key", "--handover", "2s"));
    flags.addAll(List.of("--effects", effects));
    for (String property :
        List.of(
            "group.protocol=classic", "session.timeout.ms=6000", "heartbeat.interval.ms=1000")) {
      flags.addAll(List.of("--command-property", property));
    }
    return scenario.worker(name, List.of("-Xmx128m"), flags.toArray(String[]::new));
  }
}
