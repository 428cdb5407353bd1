// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.benchmarks.runner.Bench.Running;
import dev.sluice.benchmarks.runner.Loader.Keys;
import dev.sluice.benchmarks.runner.Table.Column;
import dev.sluice.benchmarks.subject.JitThreads;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import javax.imageio.ImageIO;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;

/**
 * What a task costs a worker, in processor time, while one thing grows: partitions, keys, the
 * lanes, the workers of the group, the handlers of the queue. Each curve is a table and a picture.
 */
final class Growth {
  private static final long TASKS = 4_000_000;
  private static final int STALL_SECONDS = 60;
  private static final Column CPU = new Column("warmCpuPerMillion", "CPU s/M, 2nd half", 2);
  private static final Column JIT = new Column("warmJitPerMillion", "of it JIT", 2);
  private static final Column RATE = new Column("warmTasksPerSecond", "tasks/s, 2nd half", 0);

  private Growth() {}

  static List<Table> run(Bench bench) throws IOException, InterruptedException {
    long tasks = bench.tasks(TASKS);
    Curve partitions = new Curve(bench, "partitions");
    for (int count : new int[] {1, 10, 100, 1_000}) {
      String topic = bench.loader().filled("growth", count, tasks, Keys.UNIFORM);
      partitions.point(count, topic, tasks);
    }
    Curve keys = new Curve(bench, "keys");
    for (int count : new int[] {1, 100, 10_000, 1_000_000, 10_000_000}) {
      String topic = bench.loader().filled("keys-" + count, 12, tasks, new Keys(count, 0));
      keys.point(count, topic, tasks);
    }
    String even = bench.loader().filled("growth", 10, tasks, Keys.UNIFORM);
    Curve depth = new Curve(bench, "lane depth");
    for (int buffer : new int[] {100, 1_000, 4_000, 10_000}) {
      depth.point(buffer, even, tasks, "buffer=" + buffer);
    }
    Curve handlers = new Curve(bench, "handlers");
    for (int count : new int[] {1, 10, 50}) {
      handlers.point(count, even, tasks, "handlers=" + count);
    }
    Curve workers = new Curve(bench, "workers");
    String wide = bench.loader().filled("growth", 16, tasks, Keys.UNIFORM);
    for (int count : new int[] {1, 2, 4, 8}) {
      workers.workers(count, wide, tasks);
    }
    List<Table> tables = new ArrayList<>();
    for (Curve curve : List.of(partitions, keys, depth, handlers, workers)) {
      tables.add(curve.finished());
    }
    return tables;
  }

  /** One thing that grows. */
  private static final class Curve {
    private final Bench bench;
    private final String what;
    private final Table table;
    private final List<Integer> at = new ArrayList<>();

    Curve(Bench bench, String what) {
      this.bench = bench;
      this.what = what;
      this.table = new Table("Growth: " + what, null, CPU, JIT, RATE);
    }

    void point(int x, String topic, long tasks, String... more) throws IOException {
      at.add(x);
      List<String> options = new ArrayList<>(List.of(more));
      options.addAll(List.of("topic=" + topic, "tasks=" + tasks));
      for (int round = 1; round <= bench.rounds(); round++) {
        String name = x + " " + what;
        table.add(name, bench.run("growth", Contender.SLUICE_KEY.named(name), round, options));
      }
    }

    /** The processor time of all workers of one group, over the second half of the tasks. */
    void workers(int count, String topic, long tasks) throws IOException, InterruptedException {
      at.add(count);
      String name = count + " " + what;
      for (int round = 1; round <= bench.rounds(); round++) {
        String group = bench.group("growth-workers");
        List<Running> all = new ArrayList<>();
        try (Admin admin =
            Admin.create(Map.of("bootstrap.servers", bench.kafka().bootstrapServers()))) {
          for (int i = 0; i < count; i++) {
            all.add(
                bench.start(
                    Contender.SLUICE_KEY,
                    group,
                    "512m",
                    List.of("topic=" + topic, "tasks=" + Long.MAX_VALUE, "seconds=600")));
          }
          long half = await(admin, group, tasks / 2);
          long halfNanos = System.nanoTime();
          double halfCpu = cpu(all);
          double halfJit = jit(all);
          long last = await(admin, group, tasks);
          ObjectNode line = Bench.object();
          line.put("warmCpuPerMillion", (cpu(all) - halfCpu) * 1e6 / Math.max(1, last - half));
          line.put("warmJitPerMillion", (jit(all) - halfJit) * 1e6 / Math.max(1, last - half));
          line.put("warmTasksPerSecond", (last - half) * 1e9 / (System.nanoTime() - halfNanos));
          bench.keep("growth", name, round, line);
          table.add(name, line);
        } finally {
          all.forEach(Running::close);
        }
      }
    }

    private static double cpu(List<Running> all) {
      return all.stream().mapToDouble(each -> each.process().cpu().toNanos() / 1e9).sum();
    }

    private static double jit(List<Running> all) {
      return all.stream()
          .mapToDouble(each -> JitThreads.cpuNanos(each.process().pid()) / 1e9)
          .sum();
    }

    private static long await(Admin admin, String group, long wanted) throws InterruptedException {
      long end = System.nanoTime() + STALL_SECONDS * 1_000_000_000L;
      while (System.nanoTime() - end < 0) {
        long done = 0;
        try {
          for (OffsetAndMetadata each :
              admin
                  .listConsumerGroupOffsets(group)
                  .partitionsToOffsetAndMetadata()
                  .get()
                  .values()) {
            done += each == null ? 0 : each.offset();
          }
        } catch (ExecutionException e) {
          done = 0; // the group is not there yet
        }
        if (done >= wanted) {
          return done;
        }
        Faults.pause();
      }
      throw new IllegalStateException(group + " did not come to " + wanted + " tasks");
    }

    private double withoutJit(String point) {
      return table.median(point, CPU.field()) - table.median(point, JIT.field());
    }

    Table finished() throws IOException {
      XYChart chart =
          new XYChartBuilder()
              .width(700)
              .height(400)
              .title("What a no-op task costs a worker")
              .xAxisTitle(what)
              .yAxisTitle("CPU seconds per million, second half, without JIT")
              .build();
      chart.getStyler().setXAxisLogarithmic(true).setYAxisMin(0.0).setLegendVisible(false);
      double[] x = at.stream().mapToDouble(Integer::doubleValue).toArray();
      double[] y = at.stream().mapToDouble(each -> withoutJit(each + " " + what)).toArray();
      chart.addSeries(what, x, y);
      Path file = bench.out().resolve("growth-" + what.replace(' ', '-') + ".png");
      ImageIO.write(BitmapEncoder.getBufferedImage(chart), "png", file.toFile());
      return table;
    }
  }
}
