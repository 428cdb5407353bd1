// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.demo.downstream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.Order;
import dev.sluice.SluiceException;
import dev.sluice.console.FleetPicture;
import dev.sluice.console.FleetReader;
import dev.sluice.fleet.CreditReport;
import dev.sluice.fleet.LimitKey;
import dev.sluice.fleet.LimitReport;
import dev.sluice.fleet.Report;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.localkafka.KafkaProcess;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Disturbance;
import dev.sluice.systemtests.check.FleetFigures;
import dev.sluice.systemtests.check.FleetJudge;
import dev.sluice.systemtests.check.FleetLimits;
import dev.sluice.systemtests.check.HistoryChecker;
import dev.sluice.systemtests.process.BacklogSampler;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Two producers offer ten times what a service can take; three workers join one after another, the
 * coordinator among them is killed, the service slows down to a quarter and recovers.
 */
public final class DownstreamDemo {
  private static final String QUEUE = "calls";
  private static final int PARTITIONS = 12;
  private static final int PER_SECOND = 200;
  private static final int AT_ONCE = 20;
  private static final long SERVICE_MILLIS = 90;
  private static final int SLOWER = 4;
  private static final long CAPACITY = 1_000;
  private static final int OFFERED = 1_000;
  private static final long LOOK_MILLIS = 250;
  private static final int FIRST_SECONDS = 12;

  private final boolean flowControl;
  private final int seconds;
  private final Path work;
  private final Consumer<String> say;
  private final ObjectMapper mapper = new ObjectMapper();
  private final CountDownLatch never = new CountDownLatch(1);
  private final List<WorkerProcess> workers = new ArrayList<>();
  private final List<JavaProcess> producers = new ArrayList<>();
  private final List<Path> producerHistories = new ArrayList<>();
  private final List<Disturbance> kills = new ArrayList<>();
  private final Steady steady = new Steady();

  /** What the downstream served in the parts in which nothing changes. */
  private static final class Steady {
    private long begunNanos;
    private long begunServed;
    private boolean open;
    private double served;
    private double possible;

    void begin(Downstream downstream) {
      open = true;
      begunNanos = SystemClock.INSTANCE.nanos();
      begunServed = downstream.served();
    }

    void end(Downstream downstream, double perSecond) {
      if (open) {
        open = false;
        served += downstream.served() - begunServed;
        possible += perSecond * (SystemClock.INSTANCE.nanos() - begunNanos) / 1e9;
      }
    }

    double utilization() {
      return possible == 0 ? 0 : Math.min(1, served / possible);
    }
  }

  /**
   * @param flowControl whether Sluice's limits and capacity are on
   * @param seconds how long the producers offer
   * @param work takes files
   * @param say takes lines for people
   */
  public DownstreamDemo(boolean flowControl, int seconds, Path work, Consumer<String> say) {
    this.flowControl = flowControl;
    this.seconds = seconds;
    this.work = work;
    this.say = say;
  }

  /** What is printed, and whether everything held. */
  public record Result(Object summary, boolean holds) {}

  /** Runs the story. */
  public Result run() throws IOException, InterruptedException {
    Path tasks = work.resolve("tasks.jsonl");
    writeTasks(tasks);
    long begun = SystemClock.INSTANCE.nanos();
    try (KafkaProcess kafka = KafkaProcess.start();
        Downstream downstream = new Downstream(PER_SECOND, AT_ONCE, SERVICE_MILLIS)) {
      String brokers = kafka.bootstrapServers();
      say.accept("Broker: " + brokers + ", downstream: " + downstream.url());
      try (Topics topics = new Topics(KafkaSettings.of(brokers), Duration.ofSeconds(20))) {
        topics.ensure(Map.of(QUEUE, PARTITIONS));
      }
      try (BacklogSampler backlog =
          new BacklogSampler(brokers, "sluice-" + QUEUE, QUEUE, PARTITIONS)) {
        FleetReader fleet =
            new FleetReader(
                KafkaSettings.of(brokers), FleetDefinition.DEFAULT, SystemClock.INSTANCE);
        story(brokers, tasks, downstream, backlog, fleet);
        double took = (SystemClock.INSTANCE.nanos() - begun) / 1e9;
        DownstreamSummary summary = judge(downstream, backlog, fleet, took);
        return new Result(summary, summary.holds());
      } finally {
        workers.forEach(WorkerProcess::close);
        producers.forEach(JavaProcess::close);
      }
    }
  }

  private void writeTasks(Path tasks) throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(tasks)) {
      for (int i = 0; i < OFFERED * (seconds + 60); i++) {
        out.write("{\"call\":" + i + ",\"customer\":" + i % 997 + "}\n");
      }
    }
  }

  // ---- the story ----

  private void story(
      String brokers, Path tasks, Downstream downstream, BacklogSampler backlog, FleetReader fleet)
      throws InterruptedException {
    startWorker(brokers, downstream);
    startProducer(brokers, tasks);
    startProducer(brokers, tasks);
    watch(FIRST_SECONDS, "one worker", downstream, backlog, fleet);
    startWorker(brokers, downstream);
    watch(seconds * 12 / 100, "a second worker joins", downstream, backlog, fleet);
    startWorker(brokers, downstream);
    watch(4, "a third worker joins", downstream, backlog, fleet);
    steady.begin(downstream);
    watch(seconds * 18 / 100, "three workers share the limits", downstream, backlog, fleet);
    steady.end(downstream, PER_SECOND);
    killCoordinator();
    watch(9, "the coordinator was killed with -9", downstream, backlog, fleet);
    steady.begin(downstream);
    watch(seconds * 15 / 100, "two workers share the limits", downstream, backlog, fleet);
    steady.end(downstream, PER_SECOND);
    downstream.slow(SERVICE_MILLIS * SLOWER);
    watch(3, "the downstream slows down to a quarter", downstream, backlog, fleet);
    steady.begin(downstream);
    watch(seconds * 15 / 100, "a slow downstream", downstream, backlog, fleet);
    steady.end(downstream, AT_ONCE * 1_000.0 / (SERVICE_MILLIS * SLOWER));
    downstream.slow(SERVICE_MILLIS);
    watch(3, "the downstream recovers", downstream, backlog, fleet);
    steady.begin(downstream);
    watch(seconds * 15 / 100, "back at full rate", downstream, backlog, fleet);
    steady.end(downstream, PER_SECOND);
    producers.forEach(JavaProcess::terminate);
    for (JavaProcess producer : producers) {
      int exit = producer.awaitExit(Duration.ofSeconds(30));
      if (exit != 0) {
        throw new SluiceException("A producer exited with " + exit + ":\n" + producer.logTail());
      }
    }
    drain(downstream, backlog, fleet);
  }

  private void drain(Downstream downstream, BacklogSampler backlog, FleetReader fleet)
      throws InterruptedException {
    for (int i = 0; flowControl && i < 60 && backlog.last() > 0; i++) {
      watch(1, "the producers have ended; what is there is worked", downstream, backlog, fleet);
    }
    for (WorkerProcess worker : workers) {
      if (worker.process().alive()) {
        int exit = worker.stop(Duration.ofSeconds(20));
        if (exit != 0) {
          throw new SluiceException(
              "A worker exited with " + exit + ":\n" + worker.process().logTail());
        }
      }
    }
  }

  private void startWorker(String brokers, Downstream downstream) {
    String name = "worker-" + (workers.size() + 1);
    List<String> arguments = new ArrayList<>(List.of(QUEUE, "-b", brokers, "--name", name));
    arguments.addAll(List.of("--handler", "http:" + downstream.url(), "--order", "none"));
    arguments.addAll(List.of("--concurrency", "32", "--buffer", "400"));
    arguments.addAll(
        List.of(
            "--command-property",
            "session.timeout.ms=6000",
            "--command-property",
            "heartbeat.interval.ms=1000"));
    if (flowControl) {
      arguments.addAll(
          List.of(
              "--fleet-rate",
              Integer.toString(PER_SECOND),
              "--fleet-burst",
              Integer.toString(AT_ONCE),
              "--fleet-concurrency",
              Integer.toString(AT_ONCE),
              "--capacity",
              Long.toString(CAPACITY)));
    }
    workers.add(WorkerProcess.start(work, name, List.of("-Xmx192m"), arguments));
  }

  private void startProducer(String brokers, Path tasks) {
    String name = "producer-" + (producers.size() + 1);
    Path history = work.resolve(name + ".history.jsonl");
    producerHistories.add(history);
    List<String> arguments = new ArrayList<>(List.of(QUEUE, "-b", brokers, "--name", name));
    arguments.addAll(List.of("--file", tasks.toString(), "--key-field", "customer"));
    arguments.addAll(List.of("--rate", Integer.toString(OFFERED), "-o", "json"));
    arguments.addAll(List.of("--history", history.toString()));
    if (flowControl) {
      arguments.addAll(List.of("--config", config().toString()));
    }
    producers.add(
        JavaProcess.start(
            "dev.sluice.producer.cli.ProduceMain",
            List.of("-Xmx192m"),
            arguments,
            work.resolve(name + ".log")));
  }

  /** Producers that start before the first worker know the capacity from their configuration. */
  private Path config() {
    try {
      return Files.writeString(
          work.resolve("sluice.yaml"),
          "queues:\n  " + QUEUE + ":\n    capacity: " + CAPACITY + "\n");
    } catch (IOException e) {
      throw new SluiceException("The configuration could not be written: " + e.getMessage(), e);
    }
  }

  private void killCoordinator() {
    WorkerProcess victim =
        workers.stream()
            .filter(worker -> worker.health().sum("sluice_fleet_coordinating") > 0)
            .findFirst()
            .orElse(workers.get(0));
    victim.kill9();
    kills.addAll(victim.disturbances());
  }

  private void watch(
      int forSeconds, String what, Downstream downstream, BacklogSampler backlog, FleetReader fleet)
      throws InterruptedException {
    say.accept("-- " + what);
    long served = downstream.served();
    long rejected = downstream.rejected();
    for (int i = 1; i <= forSeconds * 1_000 / LOOK_MILLIS; i++) {
      if (never.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        return;
      }
      if (i % 8 == 0) {
        double perSecond = (downstream.served() - served) * 1_000.0 / (8 * LOOK_MILLIS);
        say.accept(
            String.format(
                Locale.ROOT,
                "backlog %5d   downstream %5.0f/s, rejected %d   %s",
                backlog.last(),
                perSecond,
                downstream.rejected() - rejected,
                shares(fleet)));
        served = downstream.served();
        rejected = downstream.rejected();
      }
    }
  }

  private static String shares(FleetReader reader) {
    FleetPicture picture = reader.read().orElse(null);
    if (picture == null) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    List<Report> reports = new ArrayList<>(picture.reports());
    reports.sort((a, b) -> a.name().compareTo(b.name()));
    for (Report report : reports) {
      for (LimitReport limit : report.limits()) {
        text.append(
            limit.key().kind() == LimitKey.Kind.RATE
                ? String.format(
                    Locale.ROOT, "  %s %.0f/s", report.name(), limit.held().milliRate() / 1_000.0)
                : String.format(Locale.ROOT, "  %s %d slots", report.name(), limit.held().units()));
      }
      for (CreditReport credit : report.credits()) {
        text.append(
            String.format(
                Locale.ROOT,
                "  %s %s",
                report.name(),
                credit.waiting() > 0 ? "held back" : "free"));
      }
    }
    return text.toString();
  }

  // ---- the end ----

  private DownstreamSummary judge(
      Downstream downstream, BacklogSampler backlog, FleetReader fleet, double took)
      throws IOException {
    List<Path> histories =
        workers.stream().map(WorkerProcess::history).filter(Files::exists).toList();
    var report =
        new HistoryChecker(
                CheckOptions.undisturbed(Order.NONE)
                    .disturbedBy(kills, Duration.ofSeconds(1))
                    .allowingUnexplained(Long.MAX_VALUE))
            .check(producerHistories, histories);
    FleetFigures figures = FleetJudge.judge(histories, FleetLimits.NONE, kills);
    double waited = 0;
    for (JavaProcess producer : producers) {
      waited += waited(producer.logTail());
    }
    long epochs =
        fleet.read().flatMap(FleetPicture::coordinator).map(b -> b.epoch().counter()).orElse(0L);
    long left = flowControl ? 0 : backlog.last();
    return new DownstreamSummary(
        flowControl,
        report.accepted(),
        report.done(),
        Math.max(0, report.lost() - left),
        left,
        report.duplicates().duplicates(),
        report.dead(),
        downstream.served() + downstream.rejected(),
        downstream.rejected(),
        Math.round(steady.utilization() * 1_000) / 1_000.0,
        backlog.most(),
        flowControl ? CAPACITY : 0,
        Math.round(waited * 10) / 10.0,
        figures.mostInSecond(),
        figures.maxConcurrent(),
        Math.max(0, epochs - 1),
        Math.round(took * 10) / 10.0);
  }

  private double waited(String log) throws IOException {
    for (String line : log.split("\n")) {
      if (line.startsWith("{") && line.contains("waitedSeconds")) {
        JsonNode node = mapper.readTree(line);
        return node.path("waitedSeconds").asDouble();
      }
    }
    return 0;
  }
}
