// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.benchmarks.runner.Table.Column;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Tasks that come at a given rate whatever the system does. The latency of a task counts from the
 * time it was to be sent at, so that a stall counts for all who waited for its end. The first
 * seconds, in which the system starts and compiles, are not measured.
 */
final class OpenLoop {
  private static final int WARM_UP_SECONDS = 30;
  private static final int MEASURED_SECONDS = 30;

  private static final int[] RATES = {5_000, 20_000};

  private OpenLoop() {}

  static List<Table> run(Bench bench) throws IOException, InterruptedException {
    List<Table> tables = new ArrayList<>();
    // The broker's compiler takes the processor from whoever is measured first.
    one(bench, "Open loop, before the first row", Contender.PLAIN, 0, RATES[0]);
    for (int rate : RATES) {
      String row = "Open loop, no-op, " + rate + "/s";
      Table table =
          new Table(
              row,
              Contender.PLAIN.name(),
              new Column("p50Millis", "p50 ms", 2),
              new Column("p90Millis", "p90 ms", 2),
              new Column("p99Millis", "p99 ms", 2),
              new Column("p999Millis", "p99.9 ms", 1),
              new Column("warmCpuPerMillion", "CPU s/M, 2nd half", 1),
              new Column("warmJitPerMillion", "of it JIT", 1),
              new Column("lost", "lost", 0));
      for (int round = 1; round <= bench.rounds(); round++) {
        for (Contender contender :
            List.of(
                Contender.PLAIN,
                Contender.SLUICE_KEY,
                Contender.SLUICE_KIP848,
                Contender.SLUICE_NEWER,
                Contender.SPRING,
                Contender.SHARE,
                Contender.PC_KEY)) {
          if (bench.can(contender)) {
            table.add(contender.name(), one(bench, row, contender, round, rate));
          }
        }
      }
      tables.add(table);
    }
    return tables;
  }

  private static ObjectNode one(Bench bench, String row, Contender contender, int round, int rate)
      throws IOException, InterruptedException {
    int warm = bench.seconds(WARM_UP_SECONDS);
    int seconds = warm + bench.seconds(MEASURED_SECONDS);
    long tasks = (long) rate * seconds;
    String group = bench.group(row + "-" + contender.name());
    String topic = bench.loader().topic(group, 12);
    List<String> options =
        List.of(
            "topic=" + topic,
            "tasks=" + tasks,
            "skip=" + (long) rate * warm,
            "latency=yes",
            "seconds=" + (seconds + 60));
    try (Bench.Running running = bench.start(contender, group, "512m", options)) {
      Thread sender =
          new Thread(
              () -> bench.loader().paced(topic, rate, tasks, () -> !running.process().alive()),
              "open-loop");
      sender.start();
      ObjectNode line = running.result(Duration.ofSeconds(seconds + 120));
      sender.join();
      bench.keep(row, contender.name(), round, line);
      return line;
    }
  }
}
