// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.benchmarks.runner.Bench.Running;
import dev.sluice.benchmarks.runner.Loader.Keys;
import dev.sluice.benchmarks.runner.Table.Column;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;

/** What is run again after kills, and what one slow task does to the others. */
final class Faults {
  private static final long LOOK_NANOS = 1_000_000;
  private static final int SLOW_SECONDS = 30;
  private static final Duration STALL = Duration.ofSeconds(20);

  private Faults() {}

  // ---- one task of 30 seconds ----

  static List<Table> stuck(Bench bench) throws IOException {
    long tasks = bench.tasks(400_000);
    int slowMicros = bench.seconds(SLOW_SECONDS) * 1_000_000;
    String row =
        "One task of " + slowMicros / 1_000_000 + " s among " + tasks + " of 1 ms, one partition";
    Table table =
        new Table(
            row,
            null,
            new Column("secondsWithout", "99 % done without it, s", 2),
            new Column("secondsWith", "99 % done with it, s", 2),
            new Column("ratio", "ratio", 2),
            new Column("again", "run again after kill -9", 0),
            new Column("lost", "lost", 0));
    String even = topic(bench, "even", tasks, 1_000);
    String slow = topic(bench, "stuck", tasks, slowMicros);
    for (int round = 1; round <= bench.rounds(); round++) {
      for (Contender contender : List.of(Contender.SLUICE_KEY, Contender.PC_KEY)) {
        if (!bench.can(contender)) {
          continue;
        }
        double without = untilDone(bench, row, contender, even, tasks, null);
        ObjectNode line = Bench.object();
        double with = untilDone(bench, row, contender, slow, tasks, line);
        line.put("secondsWithout", without).put("secondsWith", with).put("ratio", with / without);
        bench.keep(row, contender.name(), round, line);
        table.add(contender.name(), line);
      }
    }
    return List.of(table);
  }

  /** One partition: a task that waits that long, then tasks of one millisecond. */
  private static String topic(Bench bench, String name, long tasks, int firstMicros) {
    String topic = bench.loader().topic(name + "-" + tasks, 1);
    bench.loader().one(topic, 0, firstMicros);
    SplittableRandom random = new SplittableRandom(7);
    for (long i = 1; i < tasks; i++) {
      // The key of the slow task is its own.
      bench.loader().one(topic, 1 + random.nextInt(Keys.UNIFORM.keys() - 1), 1_000);
    }
    bench.loader().flush();
    return topic;
  }

  /**
   * The seconds from the first task until 99 % are done. Where there is a slow one it is then
   * killed, a while after, and what it runs again is counted.
   */
  private static double untilDone(
      Bench bench,
      String row,
      Contender contender,
      String topic,
      long tasks,
      @Nullable ObjectNode after)
      throws IOException {
    String group = group(bench, row + contender.name());
    DoneCounts counts = new DoneCounts(bench.out().resolve(group + ".done"), 1, tasks);
    List<String> options =
        List.of(
            "topic=" + topic,
            "tasks=" + Long.MAX_VALUE,
            "seconds=600",
            "protocol=consumer",
            "partitions=1",
            "work=tagged",
            "concurrency=96",
            "ledger=" + counts.file());
    double seconds;
    try (Running running = bench.start(contender, group, "512m", options)) {
      counts.await(1, running, STALL);
      long begin = System.nanoTime();
      boolean inTime = counts.await(tasks * 99 / 100, running, STALL);
      seconds = inTime ? (System.nanoTime() - begin) / 1e9 : Double.POSITIVE_INFINITY;
      if (after != null && inTime) {
        counts.await(tasks - 1, running, Duration.ofSeconds(5));
        long toEight = 8_000_000_000L - (System.nanoTime() - begin);
        if (toEight > 0) {
          LockSupport.parkNanos(toEight);
        }
      }
    }
    if (after != null) {
      long distinct = counts.distinct();
      try (Running again = bench.start(contender, group, "512m", options)) {
        // The slow one begins anew, and nothing else may be left meanwhile.
        counts.await(tasks, again, STALL.plusSeconds(bench.seconds(SLOW_SECONDS)));
      }
      after.put("doneBeforeKill", distinct);
      after.put("again", counts.total() - counts.distinct());
      after.put("lost", tasks - counts.distinct());
    }
    return seconds;
  }

  // ---- kills ----

  static List<Table> kill(Bench bench) throws IOException {
    int kills = (int) Math.max(2, Math.min(20, Math.round(20 * bench.scale())));
    long tasks = bench.tasks(1_500_000);
    String row = "kill -9, " + kills + " times, 96 x 1 ms";
    Table table =
        new Table(
            row,
            null,
            new Column("again", "run again per kill", 0),
            new Column("lost", "lost in all", 0));
    for (Contender contender : List.of(Contender.SLUICE_KEY, Contender.PLAIN)) {
      if (bench.can(contender)) {
        kill(bench, table, row, contender, tasks, kills);
      }
    }
    return List.of(table);
  }

  private static void kill(
      Bench bench, Table table, String row, Contender contender, long full, int kills)
      throws IOException {
    boolean serial = contender == Contender.PLAIN; // one task at a time
    long tasks = serial ? full / 25 : full;
    String topic = bench.loader().filled("kill", 12, tasks, Keys.UNIFORM);
    String group = group(bench, row + contender.name());
    DoneCounts counts = new DoneCounts(bench.out().resolve(group + ".done"), 12, tasks);
    List<String> options =
        List.of(
            "topic=" + topic,
            "tasks=" + Long.MAX_VALUE,
            "seconds=600",
            "protocol=consumer",
            "work=wait:1000",
            "concurrency=96",
            "ledger=" + counts.file());
    SplittableRandom random = new SplittableRandom(11);
    long step = tasks / (kills + 2);
    long again = 0;
    for (int i = 1; i <= kills; i++) {
      try (Running running = bench.start(contender, group, "512m", options)) {
        counts.await(step * i + random.nextLong(step), running, STALL);
      }
      if (i > 1) {
        kept(bench, table, row, contender, i - 1, again, counts);
      }
      again = counts.total() - counts.distinct();
    }
    try (Running running = bench.start(contender, group, "512m", options)) {
      counts.await(tasks, running, STALL);
    }
    ObjectNode last = kept(bench, table, row, contender, kills, again, counts);
    last.put("lost", tasks - counts.distinct());
  }

  private static ObjectNode kept(
      Bench bench,
      Table table,
      String row,
      Contender contender,
      int kill,
      long before,
      DoneCounts counts)
      throws IOException {
    ObjectNode line = Bench.object();
    line.put("again", counts.total() - counts.distinct() - before);
    bench.keep(row, contender.name(), kill, line);
    table.add(contender.name(), line);
    return line;
  }

  /** A group whose dead members are replaced after three seconds, which is one of KIP-848. */
  private static String group(Bench bench, String name) {
    String group = bench.group(name);
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", bench.kafka().bootstrapServers()))) {
      ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
      admin
          .incrementalAlterConfigs(
              Map.of(
                  resource,
                  List.of(
                      set("consumer.session.timeout.ms", 3_000),
                      set("consumer.heartbeat.interval.ms", 1_000))))
          .all()
          .get();
      return group;
    } catch (ExecutionException e) {
      throw new IllegalStateException("The group " + group + " cannot be configured", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static AlterConfigOp set(String name, int value) {
    return new AlterConfigOp(
        new ConfigEntry(name, Integer.toString(value)), AlterConfigOp.OpType.SET);
  }

  static void pause() {
    LockSupport.parkNanos(LOOK_NANOS * 5);
  }
}
