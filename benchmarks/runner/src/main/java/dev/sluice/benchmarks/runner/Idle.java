// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.benchmarks.runner.Bench.Running;
import dev.sluice.benchmarks.runner.Table.Column;
import dev.sluice.benchmarks.subject.JitThreads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * The processor time and the memory of consumers without tasks, a quarter of an hour after they
 * have started: until then the JIT compiler has more to do than they. All of them wait at once.
 */
final class Idle {
  /** What is called twenty times a second is compiled after minutes. */
  private static final int SETTLE_SECONDS = 900;

  private static final int MEASURED_SECONDS = 120;
  private static final int QUEUES = 500;

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
    List<Contender> one = new ArrayList<>();
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
        one.add(contender);
      }
    }
    Contender many =
        Contender.SLUICE_KEY.named("Sluice key, " + QUEUES + " queues").with("queues=" + QUEUES);
    if (bench.can(many)) {
      for (int i = 0; i < QUEUES; i++) {
        bench.loader().topic("many-" + i, 2);
      }
      one.add(many);
    }
    if (one.isEmpty()) {
      return List.of(table);
    }
    measure(bench, row, table, one, contender -> contender == many ? "many" : topic);
    return List.of(table);
  }

  private static void measure(
      Bench bench,
      String row,
      Table table,
      List<Contender> contenders,
      Function<Contender, String> topic)
      throws IOException {
    List<Running> all = new ArrayList<>();
    try {
      for (Contender contender : contenders) {
        List<String> options =
            List.of(
                "topic=" + topic.apply(contender),
                "tasks=" + Long.MAX_VALUE,
                "seconds=" + 2 * (SETTLE_SECONDS + MEASURED_SECONDS),
                "look=5000");
        all.add(bench.start(contender, bench.group(row + contender.name()), "512m", options));
      }
      wait(bench.seconds(SETTLE_SECONDS));
      long begin = System.nanoTime();
      List<Used> before = new ArrayList<>();
      for (Running running : all) {
        before.add(Used.by(running));
      }
      wait(bench.seconds(MEASURED_SECONDS));
      double seconds = (System.nanoTime() - begin) / 1e9;
      for (int i = 0; i < all.size(); i++) {
        Used now = Used.by(all.get(i));
        Used then = before.get(i);
        ObjectNode line = Bench.object();
        line.put("cpuMillisPerSecond", (now.cpuNanos - then.cpuNanos) / 1e6 / seconds);
        line.put("jitMillisPerSecond", (now.jitNanos - then.jitNanos) / 1e6 / seconds);
        line.put("rssMiB", rssMiB(all.get(i).process().pid()));
        bench.keep(row, contenders.get(i).name(), 1, line);
        table.add(contenders.get(i).name(), line);
      }
    } finally {
      all.forEach(Running::close);
    }
  }

  /** What a process has used of the processors until now. */
  private record Used(long cpuNanos, long jitNanos) {
    static Used by(Running running) {
      return new Used(
          running.process().cpu().toNanos(), JitThreads.cpuNanos(running.process().pid()));
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
