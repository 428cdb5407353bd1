// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import dev.sluice.benchmarks.runner.Bench.Running;
import dev.sluice.benchmarks.runner.Table.Column;
import dev.sluice.producer.cli.ProduceMain;
import dev.sluice.systemtests.process.JavaProcess;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Publishing, while a worker works what is published. */
final class Producing {
  private static final String LOOP = "dev.sluice.benchmarks.sluice.ProducerLoop";
  private static final String LOAD = "dev.sluice.benchmarks.sluice.GatewayLoad";
  private static final Duration START = Duration.ofSeconds(30);
  private static final Column RATE = new Column("tasksPerSecond", "tasks/s", 0);
  private static final Column WARM = new Column("warmTasksPerSecond", "tasks/s, 2nd half", 0);
  private static final Column CPU = new Column("warmCpuPerMillion", "CPU s/M, 2nd half", 2);
  private static final Column ALLOCATED = new Column("allocatedPerTask", "bytes/task", 0);
  private static final Column LOST = new Column("lost", "not accepted", 0);

  private Producing() {}

  static List<Table> run(Bench bench) throws IOException {
    return List.of(producers(bench), gateway(bench));
  }

  private static Contender of(String name, String main, String... arguments) {
    return new Contender(name, "sluice", main, List.of(arguments), false, 1);
  }

  private static Table producers(Bench bench) throws IOException {
    Contender plain = of("KafkaProducer", LOOP, "via=plain");
    String row = "Publishing tasks of 200 B, beside a worker";
    Table table = new Table(row, plain.name(), RATE, WARM, CPU, ALLOCATED, LOST);
    long tasks = bench.tasks(3_000_000);
    for (int round = 1; round <= bench.rounds(); round++) {
      for (Contender contender :
          List.of(
              plain,
              of("TaskProducer, no capacity", LOOP, "via=sluice"),
              of(
                  "TaskProducer, capacity never reached",
                  LOOP,
                  "via=sluice",
                  "capacity=1000000000"))) {
        if (!bench.can(contender)) {
          continue;
        }
        String topic = bench.loader().topic(bench.group("bench"), 12);
        Running worker = worker(bench, topic);
        try {
          table.add(
              contender.name(),
              bench.run(row, contender, round, List.of("topic=" + topic, "tasks=" + tasks)));
        } finally {
          worker.close();
        }
      }
    }
    return table;
  }

  private static Running worker(Bench bench, String topic) throws IOException {
    return bench.start(
        Contender.SLUICE_KEY,
        bench.group("beside"),
        "512m",
        List.of("topic=" + topic, "tasks=" + Long.MAX_VALUE, "seconds=600"));
  }

  private static Table gateway(Bench bench) throws IOException {
    String row = "Publishing tasks of 200 B through the HTTP gateway";
    Table table = new Table(row, null, RATE, WARM, LOST);
    String queue = bench.loader().topic(bench.group("gateway"), 12);
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Path log = bench.out().resolve("logs").resolve("gateway.log");
    try (JavaProcess gateway =
        JavaProcess.start(
            ProduceMain.class.getName(),
            List.of("-Xmx512m"),
            List.of(
                queue,
                "--http",
                Integer.toString(port),
                "--bootstrap-server",
                bench.kafka().bootstrapServers()),
            log)) {
      await(gateway, port);
      List<String> at = List.of("queue=" + queue, "port=" + port);
      for (int round = 1; round <= bench.rounds(); round++) {
        load(bench, table, row, round, at, "JSON lines, 100 in a request", 100, 8, 1_000_000);
        load(bench, table, row, round, at, "single requests, 64 connections", 1, 64, 300_000);
      }
    }
    return table;
  }

  private static void load(
      Bench bench,
      Table table,
      String row,
      int round,
      List<String> at,
      String name,
      int lines,
      int connections,
      long full)
      throws IOException {
    Contender load =
        of(name, LOAD, "lines=" + lines, "connections=" + connections)
            .with(at.toArray(String[]::new));
    if (!bench.can(load)) {
      return;
    }
    table.add(name, bench.run(row, load, round, List.of("tasks=" + bench.tasks(full))));
  }

  private static void await(JavaProcess gateway, int port) {
    long end = System.nanoTime() + START.toNanos();
    while (gateway.alive() && System.nanoTime() - end < 0) {
      try (Socket answers = new Socket("localhost", port)) {
        if (answers.isConnected()) {
          return;
        }
      } catch (IOException e) {
        Faults.pause();
      }
    }
    throw new IllegalStateException("The gateway did not start:\n" + gateway.logTail());
  }
}
