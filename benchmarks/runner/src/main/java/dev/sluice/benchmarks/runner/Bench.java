// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.ConfigException;
import dev.sluice.localkafka.KafkaProcess;
import dev.sluice.systemtests.process.JavaProcess;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The broker, the folder of the results, and the starting of systems. Single-threaded. */
final class Bench implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration GRACE = Duration.ofSeconds(60);

  /** So that a group may be told to replace its dead members soon; the defaults stay. */
  private static final Map<String, String> BROKER =
      Map.of(
          "group.consumer.min.session.timeout.ms", "3000",
          "group.consumer.min.heartbeat.interval.ms", "500");

  /** From this scale on the broker runs for long enough to be compiled as people's are. */
  private static final double COMPILED = 0.2;

  private final Path benchmarks;
  private final Path out;
  private final @Nullable String newerJava;
  private final KafkaProcess kafka;
  private final Loader loader;
  private final double scale;
  private final Predicate<String> systems;
  private final int rounds;
  private int runs;

  /**
   * @param out folder of logs and raw lines
   * @param scale of the numbers of tasks; 1 is what the documentation reports
   * @param newerJava the executable of the newer JVM, or null
   * @param systems which systems are measured, by their names
   */
  Bench(Path out, int rounds, double scale, @Nullable String newerJava, Predicate<String> systems)
      throws IOException {
    this.systems = systems;
    this.benchmarks = home();
    this.out = Files.createDirectories(out);
    this.rounds = rounds;
    this.scale = scale;
    this.newerJava = newerJava;
    // In a short run it would still be compiling itself in the end.
    KafkaProcess.Builder broker = KafkaProcess.builder().heap("1g").compiled(scale >= COMPILED);
    BROKER.forEach(broker::property);
    this.kafka = broker.start();
    this.loader = new Loader(kafka.bootstrapServers());
  }

  /** The folder of the benchmarks in the source tree, where the class paths are. */
  private static Path home() {
    try {
      Path code = Path.of(Bench.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      for (Path at = code; at != null; at = at.getParent()) {
        Path parent = at.getParent();
        if (at.endsWith("runner") && parent != null) {
          return parent;
        }
      }
      throw new ConfigException("The benchmarks run from a source tree, and not from " + code);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  double scale() {
    return scale;
  }

  int rounds() {
    return rounds;
  }

  Loader loader() {
    return loader;
  }

  KafkaProcess kafka() {
    return kafka;
  }

  Path out() {
    return out;
  }

  /** That number of tasks at the scale of this run. */
  long tasks(long full) {
    return Math.max(100, Math.round(full * scale));
  }

  /** So many seconds at the scale of this run. */
  int seconds(int full) {
    return (int) Math.max(2, Math.round(full * scale));
  }

  /** Whether this contender is to be measured, and can run here. */
  boolean can(Contender contender) {
    return systems.test(contender.name()) && has(contender);
  }

  private boolean has(Contender contender) {
    return !contender.newer() || newerJava != null;
  }

  /** Starts a contender on the JVM that it is for. */
  Running start(Contender contender, String group, String heap, List<String> options)
      throws IOException {
    if (!has(contender)) {
      throw new ConfigException(contender.name() + " needs --newer-java");
    }
    Path target = benchmarks.resolve(contender.module()).resolve("target");
    Path classPath = target.resolve("classpath.txt");
    if (!Files.exists(classPath)) {
      throw new ConfigException(classPath + " is missing; build the benchmarks with mvn package");
    }
    List<String> arguments = new ArrayList<>(contender.arguments());
    arguments.addAll(List.of("bootstrap=" + kafka.bootstrapServers(), "group=" + group));
    arguments.addAll(options);
    Path log = out.resolve("logs").resolve(group + ".log");
    JavaProcess process =
        JavaProcess.start(
            contender.newer() && newerJava != null
                ? newerJava
                : Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            target.resolve("classes") + ":" + Files.readString(classPath).strip(),
            contender.main(),
            List.of("-Xmx" + heap),
            arguments,
            log);
    return new Running(process, log);
  }

  /** A name for a consumer group that no other run has. */
  String group(String row) {
    return row.replaceAll("[^A-Za-z0-9]+", "-") + "-" + ++runs;
  }

  /** Runs a contender to its end and keeps the line that it printed. */
  ObjectNode run(String row, Contender contender, int round, List<String> options)
      throws IOException {
    return run(row, contender, round, "512m", options);
  }

  /** As above, with another heap. */
  ObjectNode run(String row, Contender contender, int round, String heap, List<String> options)
      throws IOException {
    int most = 120;
    for (String option : options) {
      if (option.startsWith("seconds=")) {
        most = Integer.parseInt(option.substring(8));
      }
    }
    try (Running running = start(contender, group(row + "-" + contender.name()), heap, options)) {
      ObjectNode line = running.result(Duration.ofSeconds(most).plus(GRACE));
      keep(row, contender.name(), round, line);
      return line;
    }
  }

  /** Writes a raw line, and shows it. */
  void keep(String row, String contender, int round, ObjectNode line) throws IOException {
    ObjectNode raw = JSON.createObjectNode();
    raw.put("row", row).put("system", contender).put("round", round);
    raw.setAll(line);
    Files.writeString(
        out.resolve("raw.jsonl"), raw + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    show(raw.toString());
  }

  @SuppressWarnings("SystemOut") // the figures are this program's output
  void show(String line) {
    System.out.println(line);
  }

  static ObjectNode object() {
    return JSON.createObjectNode();
  }

  @Override
  public void close() {
    loader.close();
    kafka.close();
  }

  /** A process of a contender. */
  record Running(JavaProcess process, Path log) implements AutoCloseable {
    /** Waits for its end and reads its line; what it printed instead is the error. */
    ObjectNode result(Duration most) throws IOException {
      process.awaitExit(most);
      return line()
          .orElseThrow(
              () -> new IllegalStateException("No figures were printed:\n" + process.logTail()));
    }

    Optional<ObjectNode> line() throws IOException {
      for (String line : Files.readAllLines(log)) {
        if (line.startsWith("{\"tasks\"")) {
          JsonNode node = JSON.readTree(line);
          return Optional.of((ObjectNode) node);
        }
      }
      return Optional.empty();
    }

    @Override
    public void close() {
      process.close();
    }
  }
}
