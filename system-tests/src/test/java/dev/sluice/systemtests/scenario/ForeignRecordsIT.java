// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.WorkerProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Kafka's own console producer and kafka-consumer-groups beside a worker. */
@Tag(Scenario.SIDE_BY_SIDE)
class ForeignRecordsIT {
  private static final int LINES = 500;
  private static final int PARTITIONS = 3;

  @Test
  void worksWhatTheConsoleProducerWroteAndShowsTheTrueLag() throws Exception {
    try (Scenario scenario = new Scenario("foreign", PARTITIONS)) {
      produce(scenario, 1);
      WorkerProcess worker = worker(scenario, "worker-1");
      Scenario.awaitReady(worker);
      scenario.awaitDrained(Duration.ofSeconds(60));
      assertThat(lagShown(scenario, 1)).isZero();
      assertThat(worker.stop(Duration.ofSeconds(15))).isZero();

      produce(scenario, 2);
      assertThat(lagShown(scenario, 2)).isEqualTo(LINES);
      WorkerProcess next = worker(scenario, "worker-2");
      scenario.awaitDrained(Duration.ofSeconds(60));
      assertThat(lagShown(scenario, 3)).isZero();
      assertThat(next.stop(Duration.ofSeconds(15))).isZero();

      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      scenario.figures(report, Map.of("lines", 2 * LINES));
      assertThat(report.violations()).isEmpty();
      assertThat(report.done()).isEqualTo(2 * LINES);
    }
  }

  private static WorkerProcess worker(Scenario scenario, String name) {
    return scenario.worker(name, List.of("-Xmx128m"), "--handler", "log");
  }

  private static void produce(Scenario scenario, int round) throws Exception {
    Path input = scenario.folder().resolve("lines-" + round + ".txt");
    Files.writeString(
        input,
        IntStream.range(0, LINES)
            .mapToObj(i -> "key-" + i % 20 + ":{\"n\":" + i + "}\n")
            .collect(Collectors.joining()));
    try (JavaProcess console =
        JavaProcess.startWithInput(
            "org.apache.kafka.tools.ConsoleProducer",
            List.of(
                "--bootstrap-server",
                scenario.kafka().bootstrapServers(),
                "--topic",
                Scenario.QUEUE,
                "--reader-property",
                "parse.key=true",
                "--reader-property",
                "key.separator=:"),
            input,
            scenario.folder().resolve("console-producer-" + round + ".log"))) {
      assertThat(console.awaitExit(Duration.ofSeconds(60))).as(console.logTail()).isZero();
    }
  }

  /** The sum of the column LAG that kafka-consumer-groups prints. */
  private static long lagShown(Scenario scenario, int round) throws Exception {
    Path out = scenario.folder().resolve("consumer-groups-" + round + ".log");
    try (JavaProcess command =
        JavaProcess.start(
            "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
            List.of(),
            List.of(
                "--bootstrap-server",
                scenario.kafka().bootstrapServers(),
                "--describe",
                "--group",
                Scenario.GROUP),
            out)) {
      assertThat(command.awaitExit(Duration.ofSeconds(60))).as(command.logTail()).isZero();
    }
    List<String> lines = Files.readAllLines(out);
    String header = lines.stream().filter(l -> l.contains("LAG")).findFirst().orElseThrow();
    int column = List.of(header.trim().split("\\s+")).indexOf("LAG");
    return lines.stream()
        .map(line -> line.trim().split("\\s+"))
        .filter(words -> words.length > column && words[0].equals(Scenario.GROUP))
        .mapToLong(words -> Long.parseLong(words[column]))
        .sum();
  }
}
