// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.benchmarks.runner.Bench.Running;
import dev.sluice.benchmarks.runner.Table.Column;
import dev.sluice.benchmarks.subject.JitThreads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The processor time and the memory of a consumer without tasks, after it has started. */
final class Idle {
  private static final int SETTLE_SECONDS = 20;
  private static final int MEASURED_SECONDS = 20;

  private Idle() {}

  static List<Table> run(Bench bench) throws IOException {
    String row = "Idle, 12 partitions";
    Table table =
        new Table(
            row,
            null,
            new Column("cpuMillisPerSecond", "CPU ms per s", 1),
            new Column("jitMillisPerSecond", "of it JIT", 1),
            new Column("rssMiB", "RSS MiB", 0));
    String topic = bench.loader().topic("idle", 12);
    for (Contender contender :
        List.of(
            Contender.PLAIN,
            Contender.SLUICE_KEY,
            Contender.SPRING,
            Contender.SHARE,
            Contender.PC_KEY)) {
      table.add(contender.name(), one(bench, row, contender, topic, SETTLE_SECONDS));
    }
    int queues = 500;
    Contender many = Contender.SLUICE_KEY.named("Sluice key, 500 queues").with("queues=" + queues);
    for (int i = 0; i < queues; i++) {
      bench.loader().topic("many-" + i, 2);
    }
    table.add(many.name(), one(bench, row, many, "many", SETTLE_SECONDS * 3));
    return List.of(table);
  }

  private static ObjectNode one(
      Bench bench, String row, Contender contender, String topic, int settle) throws IOException {
    List<String> options =
        List.of("topic=" + topic, "tasks=" + Long.MAX_VALUE, "seconds=600", "look=5000");
    try (Running running =
        bench.start(contender, bench.group(row + contender.name()), "512m", options)) {
      wait(bench.seconds(settle));
      long begin = System.nanoTime();
      long cpu = running.process().cpu().toNanos();
      long jit = JitThreads.cpuNanos(running.process().pid());
      wait(bench.seconds(MEASURED_SECONDS));
      double seconds = (System.nanoTime() - begin) / 1e9;
      ObjectNode line = Bench.object();
      line.put("cpuMillisPerSecond", (running.process().cpu().toNanos() - cpu) / 1e6 / seconds);
      line.put(
          "jitMillisPerSecond",
          (JitThreads.cpuNanos(running.process().pid()) - jit) / 1e6 / seconds);
      line.put("rssMiB", rssMiB(running.process().pid()));
      bench.keep(row, contender.name(), 1, line);
      return line;
    }
  }

  /** The passing of time is what is measured here. */
  private static void wait(int seconds) {
    waitUntil(System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds));
  }

  static void waitUntil(long end) {
    for (long rest = end - System.nanoTime(); rest > 0; rest = end - System.nanoTime()) {
      LockSupport.parkNanos(rest);
    }
  }

  static double rssMiB(long pid) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
      }
    }
    return Double.NaN;
  }
}
