// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.localkafka.KafkaProcess;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Disturbance;
import dev.sluice.systemtests.check.HistoryChecker;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.GroupLag;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Assumptions;

/**
 * One system test: a broker and workers as processes, their files in {@code
 * target/system-tests/NAME}, the judgement at the end. Sizes are small unless {@code
 * -Dsluice.full=true}.
 */
final class Scenario implements AutoCloseable {
  /**
   * The tag of tests that run two at a time, because nothing that they assert is a time. The others
   * have the machine to themselves.
   */
  static final String SIDE_BY_SIDE = "side-by-side";

  static final String QUEUE = "jobs";
  static final String GROUP = "sluice-" + QUEUE;

  /** The default commit interval of a queue, plus the time a commit takes on a busy machine. */
  static final Duration COMMIT_WINDOW =
      Duration.ofMillis(Long.getLong("sluice.commitWindowMillis", 200));

  private static final boolean FULL = Boolean.getBoolean("sluice.full");
  private static final Path ROOT = Path.of("target", "system-tests");
  private static final Path MEMORY = Path.of("/dev/shm");
  private static final long MEMORY_BYTES_LEAST = 4L << 30;

  private final String name;
  private final Path folder;
  private final KafkaProcess kafka;
  private final Admin admin;
  private final int partitions;
  private final List<WorkerProcess> workers = new ArrayList<>();
  private final List<Path> producers = new ArrayList<>();

  Scenario(String name, int partitions) {
    this(name, partitions, Map.of());
  }

  Scenario(String name, int partitions, Map<String, String> brokerProperties) {
    this(name, partitions, brokerProperties, 0);
  }

  /** The same with the port of the broker; 0 chooses one. */
  Scenario(String name, int partitions, Map<String, String> brokerProperties, int port) {
    this.name = name;
    this.partitions = partitions;
    this.folder = ROOT.resolve(name);
    try {
      deleteFolder(folder);
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    // Who works for minutes has a broker that is compiled as people's are. Its data lies in memory
    // where it can: the disk of a shared machine was seen to stand still for 1.1 s, and with it
    // every broker that appends.
    KafkaProcess.Builder broker = KafkaProcess.builder().port(port).heap("512m").compiled(FULL);
    if (FULL && inMemory()) {
      broker.temporaryIn(MEMORY);
    }
    brokerProperties.forEach(broker::property);
    this.kafka = broker.start();
    this.admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
    createTopic(QUEUE, partitions);
  }

  private static boolean inMemory() {
    try {
      return Files.isWritable(MEMORY)
          && Files.getFileStore(MEMORY).type().equals("tmpfs")
          && Files.getFileStore(MEMORY).getUsableSpace() > MEMORY_BYTES_LEAST;
    } catch (IOException e) {
      return false;
    }
  }

  static boolean full() {
    return FULL;
  }

  /** Leaves a test to the full form: what it shows is shown in CI by another one, too. */
  static void onlyInFull(String shownBy) {
    Assumptions.assumeTrue(FULL, "in the full form only (-Dsluice.full=true); in CI: " + shownBy);
  }

  /** A size of the short form or of the full one. */
  static int size(int shortForm, int fullForm) {
    return FULL ? fullForm : shortForm;
  }

  private static void deleteFolder(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private void createTopic(String topic, int count) {
    try (Topics topics =
        new Topics(KafkaSettings.of(kafka.bootstrapServers(), Map.of()), Duration.ofSeconds(30))) {
      topics.ensure(Map.of(topic, count));
    }
  }

  KafkaProcess kafka() {
    return kafka;
  }

  Admin admin() {
    return admin;
  }

  Path folder() {
    return folder;
  }

  int partitions() {
    return partitions;
  }

  List<Path> producers() {
    return List.copyOf(producers);
  }

  List<Path> histories() {
    return workers.stream().map(WorkerProcess::history).filter(Files::exists).toList();
  }

  /**
   * Starts a worker of the queue with these flags, with the history and health of its own. Its name
   * is that of its files unless the flags have another.
   */
  WorkerProcess worker(String workerName, List<String> jvmOptions, String... flags) {
    return workerOf(QUEUE, workerName, jvmOptions, flags);
  }

  /** The same of another queue than the usual one. */
  WorkerProcess workerOf(
      String queue, String workerName, List<String> jvmOptions, String... flags) {
    List<String> arguments = new ArrayList<>(List.of(queue, "-b", kafka.bootstrapServers()));
    List<String> given = List.of(flags);
    if (!given.contains("--name")) {
      arguments.addAll(List.of("--name", workerName));
    }
    arguments.addAll(given);
    List<String> options = options(jvmOptions.toArray(String[]::new));
    WorkerProcess worker = WorkerProcess.start(folder, workerName, options, arguments);
    workers.add(worker);
    return worker;
  }

  /** Starts a process that takes leases of the queue where a worker would handle its tasks. */
  WorkerProcess taker(String workerName, String... flags) {
    List<String> arguments = new ArrayList<>(List.of(QUEUE, "-b", kafka.bootstrapServers()));
    arguments.addAll(List.of("--name", workerName));
    arguments.addAll(List.of(flags));
    List<String> options = List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m");
    WorkerProcess taker =
        WorkerProcess.start(TakeMain.class.getName(), folder, workerName, options, arguments);
    workers.add(taker);
    return taker;
  }

  /** What each JVM of a scenario gets, and more. */
  static List<String> options(String... more) {
    List<String> options = new ArrayList<>(List.of("-XX:+UseSerialGC"));
    if (!FULL) {
      // Half of the CPU time of a process that lives for seconds would be that of its compiler.
      options.add("-XX:TieredStopAtLevel=1");
    }
    options.addAll(List.of(more));
    return options;
  }

  Load load(int payloadBytes, long seed) {
    Path history = folder.resolve("load-" + producers.size() + ".history.jsonl");
    producers.add(history);
    return new Load(kafka.bootstrapServers(), QUEUE, history, payloadBytes, seed);
  }

  GroupLag lag() {
    return new GroupLag(admin, GROUP, QUEUE, partitions);
  }

  /** Waits for a condition; the logs of the workers tell why it did not come. */
  static void awaitThat(String what, Duration most, BooleanSupplier condition) {
    await(what).atMost(most).pollInterval(Duration.ofMillis(50)).until(condition::getAsBoolean);
  }

  static void awaitReady(WorkerProcess... some) {
    for (WorkerProcess worker : some) {
      awaitThat("a worker that is ready", Duration.ofSeconds(60), () -> worker.health().ready());
    }
  }

  void awaitDrained(Duration most) {
    GroupLag lag = lag();
    await("a lag of 0")
        .atMost(most)
        .pollInterval(Duration.ofMillis(200))
        .until(() -> lag.total() == 0);
  }

  List<Disturbance> disturbances() {
    return workers.stream().flatMap(worker -> worker.disturbances().stream()).toList();
  }

  /** Judges the histories; what was done to the workers is known from them. */
  Report check(CheckOptions options) {
    return new HistoryChecker(options.disturbedBy(disturbances(), COMMIT_WINDOW))
        .check(producers, histories());
  }

  /** Prints the figures on one line, and adds them to a file. */
  void figures(Report report, Map<String, ?> more) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("ok", report.ok());
    all.put("tasks", report.accepted());
    all.put("unknown", report.unknown());
    all.put("lost", report.lost());
    all.put("orderViolations", report.orderViolations());
    all.put("fencedOverlaps", report.fencedOverlaps());
    all.put("done", report.done());
    all.put("dead", report.dead());
    all.put("duplicates", report.duplicates().duplicates());
    all.put("unexplained", report.duplicates().unexplained());
    all.put("outlived", report.duplicates().outlived());
    all.put("interrupted", report.duplicates().interrupted());
    all.put("disturbances", report.duplicates().disturbances());
    all.putAll(more);
    figures(name, all);
  }

  static void figures(String of, Map<String, ?> figures) {
    try {
      String json = new ObjectMapper().writeValueAsString(figures);
      PrintStream out = System.out;
      out.println("FIGURES " + of + " " + json);
      Files.createDirectories(ROOT);
      Files.writeString(
          ROOT.resolve("figures.jsonl"),
          "{\"scenario\":\"" + of + "\",\"figures\":" + json + "}\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    workers.forEach(WorkerProcess::close);
    admin.close(Duration.ofSeconds(5));
    kafka.close();
  }
}
