// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.benchmarks.runner.Loader.Keys;
import dev.sluice.benchmarks.runner.Table.Column;
import dev.sluice.benchmarks.subject.Work;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Workloads whose tasks are all there before the run begins. */
final class Throughput {
  private static final int PARTITIONS = 12;

  /**
   * So many that the second half lies behind the compiler's work, at one or two million a second.
   */
  private static final long NOOP_TASKS = 48_000_000;

  /** Of these, what Parallel Consumer gets, which is a hundred times slower. */
  private static final double SLOW_SHARE = 0.03;

  private static final long BACKLOG = 16_000_000;
  private static final int SPIN_MICROS = 50;

  /** Parallel Consumer's default of 16 threads holds it back where tasks do nothing. */
  private static final String PC_THREADS = "concurrency=100";

  /** The tasks of a topic that several workloads read a part of. */
  private static final long OFFSETS = 3_000_000;

  private static final Column RATE = new Column("tasksPerSecond", "tasks/s", 0);
  private static final Column WARM_RATE = new Column("warmTasksPerSecond", "tasks/s, 2nd half", 0);
  private static final Column CPU = new Column("cpuPerMillion", "CPU s/M", 2);
  private static final Column WARM_CPU = new Column("warmCpuPerMillion", "CPU s/M, 2nd half", 2);
  private static final Column JIT = new Column("warmJitPerMillion", "of it JIT", 2);
  private static final Column ALLOCATED = new Column("allocatedPerTask", "bytes/task", 0);
  private static final Column RSS = new Column("peakRssMiB", "peak RSS MiB", 0);
  private static final Column LOST = new Column("lost", "lost", 0);
  private static final Column DISORDERED = new Column("disordered", "out of order", 0);
  private static final Column EFFICIENCY = new Column("efficiency", "of concurrency / wait", 3);
  private static final Column IN_USE = new Column("inUse", "of it waiting", 3);
  private static final Column NET_CPU = new Column("netCpuPerMillion", "without JIT", 2);

  private Throughput() {}

  static List<Table> noop(Bench bench) throws IOException {
    List<Contender> all =
        List.of(
            Contender.PLAIN,
            Contender.SLUICE_KEY,
            Contender.SLUICE_KIP848,
            Contender.SLUICE_LIMITS,
            Contender.SLUICE_PARTITION,
            Contender.SLUICE_NONE,
            Contender.SLUICE_NEWER,
            Contender.PLAIN_CLASSIC,
            Contender.POOL.with("concurrency=2"),
            Contender.SPRING,
            Contender.SHARE,
            Contender.SHARE_EXPLICIT,
            Contender.PC_KEY.with(PC_THREADS).share(SLOW_SHARE),
            Contender.PC_UNORDERED.with(PC_THREADS).share(SLOW_SHARE));
    List<Contender> hot =
        List.of(
            Contender.PLAIN,
            Contender.SLUICE_KEY,
            Contender.PC_KEY.with(PC_THREADS).share(SLOW_SHARE));
    return List.of(
        noop(bench, "No-op, uniform keys", Keys.UNIFORM, all),
        noop(bench, "No-op, Zipf(1.1) keys", Keys.ZIPF, hot));
  }

  private static Table noop(Bench bench, String row, Keys keys, List<Contender> contenders)
      throws IOException {
    long tasks = bench.tasks(NOOP_TASKS);
    String topic =
        bench.loader().filled(keys == Keys.ZIPF ? "zipf" : "uniform", PARTITIONS, tasks, keys);
    Table table =
        new Table(
            row, Contender.PLAIN.name(), RATE, WARM_RATE, CPU, WARM_CPU, JIT, ALLOCATED, RSS, LOST);
    compare(bench, table, row, contenders, topic, tasks, List.of());
    return table;
  }

  /** Every contender once per round, so that what disturbs the machine disturbs all of them. */
  private static void compare(
      Bench bench,
      Table table,
      String row,
      List<Contender> contenders,
      String topic,
      long tasks,
      List<String> options)
      throws IOException {
    for (int round = 1; round <= bench.rounds(); round++) {
      for (Contender contender : contenders) {
        if (bench.can(contender)) {
          List<String> all = new ArrayList<>(options);
          all.add("topic=" + topic);
          all.add("tasks=" + Math.max(100, Math.round(tasks * contender.share())));
          table.add(contender.name(), bench.run(row, contender, round, all));
        }
      }
    }
  }

  static List<Table> waits(Bench bench) throws IOException {
    return List.of(
        waits(bench, 96, 10_000, 600_000),
        waits(bench, 96, 1_000, 1_500_000),
        waits(bench, 960, 10_000, 1_500_000),
        waits(bench, 96, 100, 1_500_000),
        waits(bench, 960, 1_000, 1_500_000));
  }

  private static Table waits(Bench bench, int concurrency, int micros, long full)
      throws IOException {
    List<Contender> contenders =
        List.of(
            Contender.POOL,
            Contender.SLUICE_KEY,
            Contender.SLUICE_NONE,
            Contender.POOL_VIRTUAL,
            Contender.SLUICE_NEWER,
            Contender.PC_KEY.share(0.08),
            Contender.PC_UNORDERED.share(0.08));
    String row = String.format(Locale.ROOT, "%d x %s ms", concurrency, micros / 1_000.0);
    Table table =
        new Table(
            row,
            Contender.POOL.name(),
            EFFICIENCY,
            IN_USE,
            WARM_RATE,
            WARM_CPU,
            NET_CPU,
            RSS,
            LOST,
            DISORDERED);
    long tasks = bench.tasks(full);
    long offsets = bench.tasks(OFFSETS);
    String topic = bench.loader().filled("uniform", PARTITIONS, offsets, Keys.UNIFORM);
    List<String> options = checked(offsets, Keys.UNIFORM);
    options.add("work=wait:" + micros);
    options.add("concurrency=" + concurrency);
    compare(bench, table, row, contenders, topic, tasks, options);
    double possible = concurrency * 1e6 / micros;
    table
        .lines()
        .forEach(
            line -> {
              line.put("efficiency", line.get("warmTasksPerSecond").asDouble() / possible);
              line.put("inUse", line.get("warmWaiting").asDouble() / concurrency);
              double cpu = line.get("warmCpuPerMillion").asDouble();
              line.put("netCpuPerMillion", cpu - line.get("warmJitPerMillion").asDouble());
            });
    return table;
  }

  private static List<String> checked(long offsets, Keys keys) {
    return new ArrayList<>(List.of("offsets=" + offsets, "check=full", "keys=" + keys.keys()));
  }

  /**
   * Zipf(1.0) keys in one partition. No system that keeps the order of keys can be faster than the
   * longest chain of one key, each of its tasks as long as such a wait takes on this machine.
   */
  static List<Table> zipf(Bench bench) throws IOException {
    Keys keys = new Keys(1_000, 1.0);
    long tasks = bench.tasks(100_000);
    String row = "Zipf(1.0) keys, one partition, 1 ms, concurrency 96";
    String topic = bench.loader().topic("chain-" + tasks, 1);
    long[] perKey = new long[keys.keys()];
    bench.loader().fill(topic, tasks, keys, key -> perKey[(int) key]++);
    double chain = 0;
    for (long of : perKey) {
      chain = Math.max(chain, of);
    }
    Table table =
        new Table(
            row,
            null,
            new Column("seconds", "seconds", 2),
            new Column("ofCriticalPath", "of the critical path", 3),
            new Column("ofMeasuredPath", "of it, with waits as long as they are", 3),
            WARM_CPU,
            JIT,
            LOST,
            DISORDERED);
    List<String> options = checked(tasks, keys);
    options.addAll(List.of("partitions=1", "work=wait:1000", "concurrency=96", "topic=" + topic));
    options.add("tasks=" + tasks);
    for (int round = 1; round <= bench.rounds(); round++) {
      for (Contender contender : List.of(Contender.SLUICE_KEY, Contender.PC_KEY)) {
        if (!bench.can(contender)) {
          continue;
        }
        double wait = waitMillis();
        ObjectNode line = bench.run(row, contender, round, options);
        double critical = Math.max(chain, tasks / 96.0) / 1e3;
        line.put("ofCriticalPath", critical / line.get("seconds").asDouble());
        line.put("ofMeasuredPath", critical * wait / line.get("seconds").asDouble());
        table.add(contender.name(), line);
      }
    }
    return List.of(table);
  }

  /** How long a wait of one millisecond takes here, in milliseconds. */
  private static double waitMillis() {
    Work wait = Work.of("wait:1000");
    long begin = System.nanoTime();
    for (int i = 0; i < 1_000; i++) {
      wait.run(new byte[0]);
    }
    return (System.nanoTime() - begin) / 1e9;
  }

  static List<Table> spin(Bench bench) throws IOException {
    long tasks = bench.tasks(1_000_000);
    String row = SPIN_MICROS + " us of CPU";
    String topic = bench.loader().filled("uniform", PARTITIONS, bench.tasks(OFFSETS), Keys.UNIFORM);
    Table table = new Table(row, Contender.PLAIN.name(), WARM_RATE, CPU, WARM_CPU, JIT, LOST);
    compare(
        bench,
        table,
        row,
        List.of(
            Contender.PLAIN,
            Contender.SLUICE_KEY,
            Contender.POOL.with("concurrency=2"),
            Contender.SPRING,
            Contender.PC_KEY.share(0.2)),
        topic,
        tasks,
        List.of("work=spin:" + spinRounds()));
    return List.of(table);
  }

  /** So many rounds take 50 microseconds on this machine, when nothing else runs. */
  private static long spinRounds() {
    long rounds = 100_000;
    double best = Double.MAX_VALUE;
    for (int i = 0; i < 200; i++) {
      long begin = System.nanoTime();
      Work.spin(rounds);
      best = Math.min(best, (System.nanoTime() - begin) / (double) rounds);
    }
    return Math.round(SPIN_MICROS * 1_000 / best);
  }

  static List<Table> memory(Bench bench) throws IOException {
    List<Table> tables = new ArrayList<>();
    for (long full : new long[] {1_000_000, BACKLOG}) {
      long tasks = bench.tasks(full);
      String row = "No-op at -Xmx256m, backlog of " + tasks;
      String topic = bench.loader().filled("uniform", PARTITIONS, tasks, Keys.UNIFORM);
      Table table = new Table(row, null, RATE, RSS, LOST);
      small(bench, table, row, List.of("topic=" + topic, "tasks=" + tasks));
      tables.add(table);
    }
    long tasks = bench.tasks(500_000);
    String row = "960 x 10 ms at -Xmx256m";
    String topic = bench.loader().filled("uniform", PARTITIONS, bench.tasks(OFFSETS), Keys.UNIFORM);
    Table table = new Table(row, null, RATE, RSS, LOST);
    small(
        bench,
        table,
        row,
        List.of("topic=" + topic, "tasks=" + tasks, "concurrency=960", "work=wait:10000"));
    tables.add(table);
    return tables;
  }

  private static void small(Bench bench, Table table, String row, List<String> options)
      throws IOException {
    for (int round = 1; round <= bench.rounds(); round++) {
      for (Contender contender : List.of(Contender.SLUICE_KEY, Contender.SLUICE_NEWER)) {
        if (bench.can(contender)) {
          table.add(contender.name(), bench.run(row, contender, round, "256m", options));
        }
      }
    }
  }

  static List<Table> partitions(Bench bench) throws IOException {
    long tasks = bench.tasks(4_000_000);
    String row = "No-op, 1,000 partitions in one worker";
    String topic = bench.loader().filled("wide", 1_000, tasks, Keys.UNIFORM);
    Table table =
        new Table(row, Contender.PLAIN.name(), RATE, WARM_RATE, CPU, WARM_CPU, JIT, RSS, LOST);
    compare(
        bench, table, row, List.of(Contender.PLAIN, Contender.SLUICE_KEY), topic, tasks, List.of());
    return List.of(table);
  }
}
