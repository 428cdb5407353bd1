// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.benchmarks.runner.Bench.Running;
import dev.sluice.benchmarks.runner.Table.Column;
import dev.sluice.systemtests.process.BacklogSampler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * The trap of the queue without {@code maxsize}: a producer that offers many times what a worker of
 * 256 MiB can do, with a pool without a bound, with a worker of Sluice and no capacity, and with a
 * capacity. The backlog in the log and the memory of the worker, over time, as a table and two
 * pictures.
 */
final class Unbounded {
  private static final String HEAP = "256m";
  private static final int PARTITIONS = 12;
  private static final int BYTES = 2_000;
  private static final int CAPACITY = 1_000;
  private static final long TASKS = 400_000;
  private static final int SECONDS = 30;
  private static final int EVERY_MILLIS = 250;

  private static final Contender POOL =
      new Contender(
          "pool without a bound",
          "kafka-clients",
          "dev.sluice.benchmarks.clients.UnboundedPool",
          List.of(),
          false,
          1);
  private static final Contender WITHOUT = Contender.SLUICE_KEY.named("Sluice, no capacity");
  private static final Contender WITH =
      Contender.SLUICE_KEY.named("Sluice, capacity " + CAPACITY).with("capacity=" + CAPACITY);

  private Unbounded() {}

  /** One system over time. */
  private static final class Course {
    final List<Double> seconds = new ArrayList<>();
    final List<Double> backlog = new ArrayList<>();
    final List<Double> rss = new ArrayList<>();
    double diedAfter = Double.NaN;

    double most(List<Double> of) {
      return of.stream().mapToDouble(Double::doubleValue).max().orElse(0);
    }
  }

  static List<Table> run(Bench bench) throws IOException, InterruptedException {
    Table table =
        new Table(
            "The queue without maxsize",
            null,
            new Column("mostBacklog", "most in the log", 0),
            new Column("mostRssMiB", "most RSS MiB", 0),
            new Column("diedAfterSeconds", "out of memory after s", 1));
    Map<String, Course> courses = new LinkedHashMap<>();
    for (Contender contender : List.of(POOL, WITHOUT, WITH)) {
      Course course = course(bench, contender);
      courses.put(contender.name(), course);
      ObjectNode line = Bench.object();
      line.put("mostBacklog", course.most(course.backlog));
      line.put("mostRssMiB", course.most(course.rss));
      line.put("diedAfterSeconds", course.diedAfter);
      bench.keep("unbounded", contender.name(), 1, line);
      table.add(contender.name(), line);
    }
    chart(bench, "backlog", "tasks in the log that are not done", courses);
    chart(bench, "memory", "RSS of the worker, MiB", courses);
    return List.of(table);
  }

  private static Course course(Bench bench, Contender contender)
      throws IOException, InterruptedException {
    Course course = new Course();
    String group = bench.group("unbounded-" + contender.name());
    String topic = bench.loader().topic(group, PARTITIONS);
    long tasks = bench.tasks(TASKS);
    List<String> work =
        List.of(
            "topic=" + topic,
            "tasks=" + Long.MAX_VALUE,
            "seconds=600",
            "concurrency=8",
            "work=wait:2000");
    boolean plain = contender == POOL;
    boolean bounded = contender == WITH;
    List<String> offer =
        List.of(
            "topic=" + topic,
            "tasks=" + tasks,
            "seconds=600",
            "bytes=" + BYTES,
            "via=" + (plain ? "plain" : "sluice"),
            "capacity=" + (bounded ? CAPACITY : 0));
    Contender producer =
        new Contender(
            "producer", "sluice", "dev.sluice.benchmarks.sluice.ProducerLoop", List.of(), false, 1);
    try (BacklogSampler backlog =
            new BacklogSampler(bench.kafka().bootstrapServers(), group, topic, PARTITIONS);
        Running worker = bench.start(contender, group, HEAP, work);
        Running offers = bench.start(producer, bench.group("offers"), "512m", offer)) {
      long begun = System.nanoTime();
      long last = bench.seconds(SECONDS) * 1_000L / EVERY_MILLIS;
      for (int i = 1; i <= last && worker.process().alive(); i++) {
        Idle.waitUntil(begun + i * EVERY_MILLIS * 1_000_000L);
        double rss = worker.process().alive() ? Idle.rssMiB(worker.process().pid()) : Double.NaN;
        if (!Double.isNaN(rss)) {
          course.seconds.add((System.nanoTime() - begun) / 1e9);
          course.backlog.add((double) backlog.last());
          course.rss.add(rss);
        }
        if (Double.isNaN(course.diedAfter) && outOfMemory(worker)) {
          course.diedAfter = (System.nanoTime() - begun) / 1e9;
        }
      }
      if (!offers.process().alive() && offers.line().isEmpty()) {
        throw new IllegalStateException("The producer has ended:\n" + offers.process().logTail());
      }
    }
    return course;
  }

  /** Whether some thread of it was refused memory: what it does from then on is nobody's plan. */
  private static boolean outOfMemory(Running worker) throws IOException {
    return !worker.process().alive()
        || Files.exists(worker.log())
            && Files.readString(worker.log()).contains("OutOfMemoryError");
  }

  private static void chart(Bench bench, String what, String axis, Map<String, Course> courses)
      throws IOException {
    XYChart chart =
        new XYChartBuilder()
            .width(700)
            .height(400)
            .title("A producer that offers more than a worker can do")
            .xAxisTitle("seconds")
            .yAxisTitle(axis)
            .build();
    chart.getStyler().setYAxisMin(0.0);
    courses.forEach(
        (name, course) -> {
          List<Double> values = what.equals("backlog") ? course.backlog : course.rss;
          if (!values.isEmpty()) {
            chart.addSeries(name, course.seconds, values).setMarker(SeriesMarkers.NONE);
          }
        });
    Path file = bench.out().resolve("unbounded-" + what + ".png");
    ImageIO.write(BitmapEncoder.getBufferedImage(chart), "png", file.toFile());
  }
}
