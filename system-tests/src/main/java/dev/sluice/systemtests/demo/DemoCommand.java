// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.ConfigException;
import dev.sluice.SluiceException;
import dev.sluice.cli.Commands;
import dev.sluice.cli.ExitCodes;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.localkafka.KafkaProcess;
import dev.sluice.systemtests.demo.downstream.DownstreamDemo;
import dev.sluice.systemtests.process.JavaProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code sluice demo}: backpressure at work on real files. The producer is faster than the workers,
 * whose lanes are bounded and whose handler has a bulkhead and a rate limiter, so partitions pause
 * and resume; at the end each result is compared with a digest computed independently.
 */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description =
        "Starts a broker, a producer and two workers as processes and shows backpressure at work.")
public final class DemoCommand implements Callable<Integer> {
  private static final String QUEUE = "files";
  private static final int PARTITIONS = 12;
  private static final int WORKERS = 2;
  private static final int LOOK_MILLIS = 500;

  @Option(
      names = "--job",
      paramLabel = "downstream|files",
      defaultValue = "downstream",
      description = {
        "downstream  two producers offer ten times what a service can take; workers join and are",
        "            killed, the service slows down and recovers (default)",
        "files       two workers compute digests of files"
      })
  private String job = "downstream";

  @Option(
      names = "--no-flow-control",
      description = "The downstream story without Sluice's limits and capacity, to compare.")
  private boolean noFlowControl;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      defaultValue = "60",
      description = "How long the downstream story is, about. Default: ${DEFAULT-VALUE}.")
  private int seconds;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "The files to work. Default: the local Maven repository.")
  private @Nullable Path dir;

  @Option(
      names = "--max-files",
      paramLabel = "N",
      defaultValue = "8000",
      description = "At most so many files. Default: ${DEFAULT-VALUE}.")
  private int maxFiles;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "250",
      description = "Files per second and worker. Default: ${DEFAULT-VALUE}.")
  private int rate;

  @Option(
      names = "--buffer",
      paramLabel = "N",
      defaultValue = "100",
      description = "Tasks per lane. Default: ${DEFAULT-VALUE}.")
  private int buffer;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "240",
      description = "Give up after so long. Default: ${DEFAULT-VALUE}.")
  private int timeoutSeconds;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "table|json",
      defaultValue = "table",
      description = "How the summary is printed. Default: ${DEFAULT-VALUE}.")
  private String output = "table";

  private final ObjectMapper mapper = new ObjectMapper();

  @Override
  public Integer call() throws IOException, InterruptedException {
    Commands.configureLogging(false);
    if (!output.equals("table") && !output.equals("json")) {
      throw new ConfigException("-o is '" + output + "'; it must be table or json");
    }
    if (seconds < 20 || seconds > 3_600) {
      throw new ConfigException("--seconds is " + seconds + "; it must be from 20 to 3600");
    }
    if (job.equals("downstream")) {
      return tellStory();
    }
    if (!job.equals("files")) {
      throw new ConfigException("--job is '" + job + "'; it must be downstream or files");
    }
    Path folder = dir == null ? mavenRepository() : dir.toAbsolutePath();
    List<Path> files = DemoFiles.below(folder, maxFiles);
    Path work = Files.createTempDirectory("sluice-demo-");
    try {
      say("Files: " + files.size() + " below " + folder);
      DemoSummary summary = run(files, work);
      print(summary, summary.holds());
      return summary.holds() ? ExitCodes.DONE : ExitCodes.FAILED;
    } finally {
      delete(work);
    }
  }

  private int tellStory() throws IOException, InterruptedException {
    Path work = Files.createTempDirectory("sluice-demo-");
    try {
      DownstreamDemo.Result result =
          new DownstreamDemo(!noFlowControl, seconds, work, DemoCommand::say).run();
      print(result.summary(), result.holds());
      return result.holds() ? ExitCodes.DONE : ExitCodes.FAILED;
    } finally {
      delete(work);
    }
  }

  private static Path mavenRepository() {
    String configured = System.getProperty("maven.repo.local");
    return configured == null
        ? Path.of(System.getProperty("user.home"), ".m2", "repository")
        : Path.of(configured);
  }

  private DemoSummary run(List<Path> files, Path work) throws IOException, InterruptedException {
    Path tasks = work.resolve("tasks.jsonl");
    DemoFiles.writeTasks(files, tasks);
    List<DemoWorker> workers = new ArrayList<>();
    try (KafkaProcess kafka = KafkaProcess.start()) {
      say("Broker: " + kafka.bootstrapServers());
      try (Topics topics =
          new Topics(KafkaSettings.of(kafka.bootstrapServers()), Duration.ofSeconds(20))) {
        topics.ensure(Map.of(QUEUE, PARTITIONS));
      }
      long start = System.nanoTime();
      try {
        for (int i = 1; i <= WORKERS; i++) {
          workers.add(worker(kafka, "worker-" + i, work));
        }
        try (JavaProcess producer = producer(kafka, tasks, work)) {
          watch(workers, producer, files.size(), start);
          double seconds = (System.nanoTime() - start) / 1e9;
          stop(workers);
          return judge(files, workers, work, seconds);
        }
      } finally {
        workers.forEach(worker -> worker.process().close());
      }
    }
  }

  private DemoWorker worker(KafkaProcess kafka, String name, Path work) throws IOException {
    int port = freePort();
    List<String> arguments = new ArrayList<>(List.of(QUEUE, "-b", kafka.bootstrapServers()));
    arguments.addAll(List.of("--handler", "class:" + DigestHandler.class.getName()));
    arguments.addAll(List.of("--name", name, "--metrics-port", Integer.toString(port)));
    arguments.addAll(List.of("--buffer", Integer.toString(buffer), "--concurrency", "8"));
    arguments.addAll(List.of("--bulkhead", "4", "--rate", Integer.toString(rate)));
    JavaProcess process =
        JavaProcess.start(
            "dev.sluice.worker.cli.WorkMain",
            List.of(
                "-Xmx256m", "-D" + DigestHandler.RESULTS + "=" + work.resolve(name + ".results")),
            arguments,
            work.resolve(name + ".log"));
    return new DemoWorker(name, port, process);
  }

  private static JavaProcess producer(KafkaProcess kafka, Path tasks, Path work) {
    return JavaProcess.start(
        "dev.sluice.producer.cli.ProduceMain",
        List.of("-Xmx256m"),
        List.of(
            QUEUE,
            "-b",
            kafka.bootstrapServers(),
            "--file",
            tasks.toString(),
            "--key-field",
            "folder"),
        work.resolve("producer.log"));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Looks at the workers until everything that was produced is done. */
  private void watch(List<DemoWorker> workers, JavaProcess producer, int tasks, long start)
      throws InterruptedException {
    CountDownLatch never = new CountDownLatch(1);
    boolean live = System.console() != null && System.getenv("NO_COLOR") == null;
    boolean produced = false;
    for (int round = 0; ; round++) {
      if (never.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        return;
      }
      for (DemoWorker worker : workers) {
        worker.look(LOOK_MILLIS / 1000.0);
        if (!worker.process().alive()) {
          throw new SluiceException("A worker ended early:\n" + worker.process().logTail());
        }
      }
      if (!produced && !producer.alive()) {
        produced = true;
        if (producer.awaitExit(Duration.ofSeconds(1)) != 0) {
          throw new SluiceException("The producer failed:\n" + producer.logTail());
        }
      }
      long done = workers.stream().mapToLong(DemoWorker::succeeded).sum();
      if (live || round % 4 == 0) {
        show(workers, done, tasks, produced, live && round > 0);
      }
      long dead = workers.stream().mapToLong(DemoWorker::dead).sum();
      if (produced && done + dead >= tasks) {
        return;
      }
      if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(timeoutSeconds)) {
        say("Gave up after " + timeoutSeconds + " s: " + done + " of " + tasks + " done");
        return;
      }
    }
  }

  private void show(
      List<DemoWorker> workers, long done, int tasks, boolean produced, boolean over) {
    if (over) {
      say("\u001b[" + (workers.size() + 1) + "A\u001b[J", false);
    }
    say(
        "producer  "
            + (produced ? "done" : "publishing")
            + "  "
            + done
            + " of "
            + tasks
            + " tasks worked");
    workers.forEach(worker -> say(worker.toString()));
  }

  private static void stop(List<DemoWorker> workers) throws InterruptedException {
    for (DemoWorker worker : workers) {
      worker.look(1);
      worker.process().terminate();
    }
    for (DemoWorker worker : workers) {
      int exit = worker.process().awaitExit(Duration.ofSeconds(15));
      if (exit != 0) {
        throw new SluiceException(
            "A worker exited with " + exit + ":\n" + worker.process().logTail());
      }
    }
  }

  private static DemoSummary judge(
      List<Path> files, List<DemoWorker> workers, Path work, double seconds) throws IOException {
    List<Path> resultFiles = new ArrayList<>();
    for (int i = 1; i <= WORKERS; i++) {
      resultFiles.add(work.resolve("worker-" + i + ".results"));
    }
    Map<String, DemoFiles.Result> results = DemoFiles.results(resultFiles);
    int completed = 0;
    int wrong = 0;
    int duplicated = 0;
    for (Path file : files) {
      DemoFiles.Result result = results.get(file.toString());
      if (result != null) {
        completed++;
        wrong += result.sha256().equals(DemoFiles.sha256(file)) ? 0 : 1;
        duplicated += result.times() > 1 ? 1 : 0;
      }
    }
    int dead = (int) workers.stream().mapToLong(DemoWorker::dead).sum();
    int lost = Math.max(0, files.size() - completed - dead);
    int depth = workers.stream().mapToInt(DemoWorker::maxLaneDepth).max().orElse(0);
    int capacity = workers.stream().mapToInt(DemoWorker::laneCapacity).max().orElse(0);
    long pauses = workers.stream().mapToLong(DemoWorker::pauses).sum();
    return new DemoSummary(
        files.size(),
        completed,
        lost,
        duplicated,
        dead,
        wrong,
        pauses,
        depth,
        capacity,
        Math.round(seconds * 10) / 10.0,
        Math.round(completed / seconds * 10) / 10.0);
  }

  @SuppressWarnings("SystemOut")
  private void print(Object summary, boolean holds) throws IOException {
    if (output.equals("json")) {
      System.out.println(mapper.writeValueAsString(summary));
      return;
    }
    Map<?, ?> fields = mapper.convertValue(summary, Map.class);
    fields.forEach((name, value) -> System.out.printf("%-22s %s%n", name, value));
    System.out.println(holds ? "Everything held." : "NOT everything held.");
  }

  private static void say(String line) {
    say(line, true);
  }

  @SuppressWarnings("SystemOut") // the view goes to standard error, the summary to standard output
  private static void say(String text, boolean newLine) {
    System.err.print(newLine ? text + "\n" : text);
    System.err.flush();
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> found = Files.walk(folder)) {
      for (Path path : found.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }

  /** Runs the command. */
  public static void main(String[] args) {
    System.exit(Commands.run(new DemoCommand(), args));
  }
}
