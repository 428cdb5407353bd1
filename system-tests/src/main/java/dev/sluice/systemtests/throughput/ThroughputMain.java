// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.throughput;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.cli.Commands;
import dev.sluice.cli.ExitCodes;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.localkafka.KafkaProcess;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.Load;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Sluice beside a plain consumer loop: the same broker and topic, each as a process of its own, one
 * after the other, three times. The only argument is the number of tasks, by default 2,000,000.
 * Prints each run, then the medians and their ratios as one JSON object.
 */
public final class ThroughputMain {
  private static final String TOPIC = "throughput";
  private static final int PARTITIONS = 12;
  private static final int PAYLOAD_BYTES = 200;
  private static final int ROUNDS = 3;
  private static final Duration RUN_MAX = Duration.ofMinutes(10);

  private ThroughputMain() {}

  /** Runs the comparison. */
  @SuppressWarnings("SystemOut") // a command says how it is used
  public static void main(String[] args) throws Exception {
    Commands.configureLogging(false);
    if (args.length > 1 || args.length == 1 && !args[0].matches("[1-9][0-9]{0,8}")) {
      System.err.println("Usage: sluice throughput [TASKS]; default: 2000000");
      System.exit(ExitCodes.USAGE);
    }
    long tasks = args.length > 0 ? Long.parseLong(args[0]) : 2_000_000;
    Path folder = Files.createTempDirectory("sluice-throughput");
    List<JsonNode> plain = new ArrayList<>();
    List<JsonNode> sluice = new ArrayList<>();
    List<JsonNode> fleet = new ArrayList<>();
    try (KafkaProcess kafka = KafkaProcess.start(1, Map.of(), "512m")) {
      fill(kafka.bootstrapServers(), folder, tasks);
      for (int round = 1; round <= ROUNDS; round++) {
        plain.add(run(PlainLoopMain.class, kafka, folder, "plain-" + round, tasks));
        sluice.add(run(SluiceLoopMain.class, kafka, folder, "sluice-" + round, tasks));
        fleet.add(run(SluiceLoopMain.class, kafka, folder, "fleet-" + round, tasks, "fleet"));
      }
    }
    print(summary(tasks, "plain", plain, "sluice", sluice));
    print(summary(tasks, "sluice", sluice, "fleetLimited", fleet));
  }

  private static void fill(String bootstrap, Path folder, long tasks) throws Exception {
    try (Topics topics =
        new Topics(KafkaSettings.of(bootstrap, Map.of()), Duration.ofSeconds(30))) {
      topics.ensure(Map.of(TOPIC, PARTITIONS));
    }
    Path history = folder.resolve("load.jsonl");
    try (Load load = new Load(bootstrap, TOPIC, history, PAYLOAD_BYTES, 8)) {
      load.send(tasks);
    }
    Files.delete(history);
  }

  private static JsonNode run(
      Class<?> main, KafkaProcess kafka, Path folder, String name, long tasks, String... more)
      throws IOException {
    Path log = folder.resolve(name + ".log");
    List<String> arguments =
        new ArrayList<>(List.of(kafka.bootstrapServers(), TOPIC, name, Long.toString(tasks)));
    arguments.addAll(List.of(more));
    try (JavaProcess process =
        JavaProcess.start(main.getName(), List.of("-Xmx512m"), arguments, log)) {
      int exit = process.awaitExit(RUN_MAX);
      for (String line : Files.readAllLines(log)) {
        if (line.startsWith("{\"") && exit == 0) {
          print(name + " " + line);
          return new ObjectMapper().readTree(line);
        }
      }
      throw new IllegalStateException(name + " ended with " + exit + ":\n" + process.logTail());
    }
  }

  private static String summary(
      long tasks, String one, List<JsonNode> plain, String other, List<JsonNode> sluice) {
    StringBuilder text = new StringBuilder("{\"tasks\":").append(tasks);
    for (String field :
        List.of(
            "tasksPerSecond",
            "cpuSecondsPerMillion",
            "warmTasksPerSecond",
            "warmCpuSecondsPerMillion")) {
      double ofPlain = median(plain, field);
      double ofSluice = median(sluice, field);
      text.append(
          String.format(
              Locale.ROOT,
              ",\"%s\":{\"%s\":%.3f,\"%s\":%.3f,\"ratio\":%.2f}",
              field,
              one,
              ofPlain,
              other,
              ofSluice,
              ofSluice / ofPlain));
    }
    return text.append('}').toString();
  }

  private static double median(List<JsonNode> runs, String field) {
    double[] values =
        runs.stream().mapToDouble(run -> run.get(field).asDouble()).sorted().toArray();
    return values[values.length / 2];
  }

  @SuppressWarnings("SystemOut") // the figures are this program's output
  private static void print(String line) {
    System.out.println(line);
  }
}
