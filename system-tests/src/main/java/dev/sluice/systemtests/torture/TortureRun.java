// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.torture;

import dev.sluice.Order;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.localkafka.KafkaProcess;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Disturbance;
import dev.sluice.systemtests.check.HistoryChecker;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.check.StartGaps;
import dev.sluice.systemtests.check.StartedIds;
import dev.sluice.systemtests.process.GroupLag;
import dev.sluice.systemtests.process.HarnessException;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A cluster of three brokers, three workers, two queues with tasks of all kinds, and fault after
 * fault until the time is over; then everything has to become quiet, and the histories are judged.
 * The faults and the tasks come from the seed; what a fault meets depends on the machine.
 */
final class TortureRun {
  static final String JOBS = "jobs";
  static final String FREE = "free";
  static final int JOBS_PARTITIONS = 6;

  private static final Logger LOG = LoggerFactory.getLogger(TortureRun.class);
  private static final int FREE_PARTITIONS = 4;
  private static final int WORKERS = 3;
  private static final int JOBS_PER_SECOND = 200;
  private static final int FREE_PER_SECOND = 80;
  private static final Duration COMMIT_WINDOW = Duration.ofMillis(500);
  private static final Duration QUIET_WITHIN = Duration.ofSeconds(90);
  private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(12);

  /** L1: a fault, a session time-out, an election; nothing of it may last longer. */
  private static final long STANDSTILL_NANOS_MAX = TimeUnit.SECONDS.toNanos(45);

  private final Path folder;
  private final long seed;
  private final Duration lasts;

  /** What came of it. */
  record Result(boolean ok, Map<String, Object> figures, List<String> violations) {}

  TortureRun(Path folder, long seed, Duration lasts) {
    this.folder = folder;
    this.seed = seed;
    this.lasts = lasts;
  }

  Result run() throws InterruptedException, IOException {
    Files.createDirectories(folder);
    SplittableRandom random = new SplittableRandom(seed);
    try (KafkaProcess kafka = KafkaProcess.start(3, brokers(), "256m");
        Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
        TortureWorkers workers = new TortureWorkers(folder, arguments(kafka))) {
      try (Topics topics =
          new Topics(KafkaSettings.of(kafka.bootstrapServers()), Duration.ofSeconds(30))) {
        topics.ensure(Map.of(JOBS, JOBS_PARTITIONS, FREE, FREE_PARTITIONS));
      }
      for (int i = 0; i < WORKERS; i++) {
        workers.start();
      }
      for (int i = 0; i < WORKERS; i++) {
        TortureWorkers.awaitReady(workers.get(i));
      }
      Faults faults = new Faults(kafka, admin, folder, workers, random.split());
      Path jobsHistory = folder.resolve("jobs.history.jsonl");
      Path freeHistory = folder.resolve("free.history.jsonl");
      long begun = SystemClock.INSTANCE.nanos();
      long loaded;
      Map<String, Object> figures = new LinkedHashMap<>();
      List<String> violations = new ArrayList<>();
      List<String> cancelled = new ArrayList<>();
      try (TortureLoad jobs =
              new TortureLoad(
                  kafka.bootstrapServers(), JOBS, JOBS_PER_SECOND, jobsHistory, random.nextLong());
          TortureLoad free =
              new TortureLoad(
                  kafka.bootstrapServers(),
                  FREE,
                  FREE_PER_SECOND,
                  freeHistory,
                  random.nextLong())) {
        while (SystemClock.INSTANCE.nanos() - begun < lasts.toNanos()) {
          faults.rest(10_000);
          faults.next();
        }
        jobs.stop();
        free.stop();
        loaded = SystemClock.INSTANCE.nanos();
        figures.put("delayed", jobs.delayed() + free.delayed());
        figures.put("refused", jobs.refused() + free.refused());
        cancelled.addAll(jobs.cancelled());
        cancelled.addAll(free.cancelled());
        figures.put("cancelled", cancelled.size());
        awaitQuiet(admin, faults, violations);
      }
      figures.put(
          "drainSeconds", TimeUnit.NANOSECONDS.toSeconds(SystemClock.INSTANCE.nanos() - loaded));
      violations.addAll(workers.troubles());
      workers.stopAll();
      violations.addAll(workers.troubles());
      List<Disturbance> disturbances = new ArrayList<>(workers.disturbances());
      disturbances.addAll(faults.outages());
      figures.put("faults", faults.counts());
      judge(JOBS, Order.KEY, jobsHistory, workers, disturbances, figures, violations);
      judge(FREE, Order.NONE, freeHistory, workers, disturbances, figures, violations);
      judgeCancelled(cancelled, workers.histories(), violations);
      judgeProgress(begun, loaded, workers, figures, violations);
      return new Result(violations.isEmpty(), figures, violations);
    }
  }

  private static Map<String, String> brokers() {
    Map<String, String> properties = new HashMap<>();
    properties.put("default.replication.factor", "3");
    properties.put("min.insync.replicas", "2");
    properties.put("offsets.topic.replication.factor", "3");
    properties.put("offsets.topic.num.partitions", "4");
    properties.put("transaction.state.log.replication.factor", "3");
    properties.put("transaction.state.log.min.isr", "2");
    properties.put("transaction.state.log.num.partitions", "4");
    properties.put("broker.session.timeout.ms", "3000");
    properties.put("broker.heartbeat.interval.ms", "500");
    return properties;
  }

  private List<String> arguments(KafkaProcess kafka) throws IOException {
    Path config = folder.resolve("sluice.yaml");
    String handler =
        "        handler: class:" + TortureHandler.class.getName() + "\n        timeout: 2s\n";
    Files.writeString(
        config,
        "queues:\n"
            + ("  " + JOBS + ":\n    order: key\n    concurrency: 8\n    handlers:\n      '*':\n")
            + handler
            + "        retry: { maxAttempts: 4, waitDuration: 50ms }\n"
            + ("  " + FREE + ":\n    order: none\n    onRetry: let-pass\n    concurrency: 4\n")
            + "    handlers:\n      '*':\n"
            + handler
            + "        retry: { maxAttempts: 3, waitDuration: 1500ms }\n");
    List<String> arguments =
        new ArrayList<>(List.of(JOBS, FREE, "-b", kafka.bootstrapServers(), "--config"));
    arguments.add(config.toString());
    for (String property :
        List.of(
            "group.protocol=classic", "session.timeout.ms=6000", "heartbeat.interval.ms=1000")) {
      arguments.addAll(List.of("--command-property", property));
    }
    return arguments;
  }

  /** With all faults over, everything is done before long, delays and retries included. */
  private static void awaitQuiet(Admin admin, Faults faults, List<String> violations) {
    List<GroupLag> lags =
        List.of(
            new GroupLag(admin, "sluice-" + JOBS, JOBS, faults.jobsPartitions()),
            new GroupLag(admin, "sluice-" + FREE, FREE, FREE_PARTITIONS),
            new GroupLag(admin, "sluice-" + FREE, FREE + ".retry", FREE_PARTITIONS));
    long begun = SystemClock.INSTANCE.nanos();
    // Delayed tasks come until then, and retries after them.
    long quietSince = begun + TimeUnit.SECONDS.toNanos(15);
    long lag = -1;
    while (SystemClock.INSTANCE.nanos() - quietSince < QUIET_NANOS) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(500));
      try {
        lag = lags.stream().mapToLong(GroupLag::total).sum();
      } catch (HarnessException e) {
        LOG.warn("The lag is not known now: {}", e.toString());
        lag = -1;
      }
      long now = SystemClock.INSTANCE.nanos();
      if (lag != 0) {
        quietSince = Math.max(quietSince, now);
      }
      if (now - begun > QUIET_WITHIN.toNanos()) {
        violations.add("L1: " + lag + " tasks were not done " + QUIET_WITHIN + " after the faults");
        return;
      }
    }
  }

  private static void judge(
      String queue,
      Order order,
      Path submitted,
      TortureWorkers workers,
      List<Disturbance> disturbances,
      Map<String, Object> figures,
      List<String> violations) {
    CheckOptions options =
        CheckOptions.undisturbed(order).ofQueue(queue).disturbedBy(disturbances, COMMIT_WINDOW);
    Report report = new HistoryChecker(options).check(List.of(submitted), workers.histories());
    Map<String, Object> own = new LinkedHashMap<>();
    own.put("accepted", report.accepted());
    own.put("unknown", report.unknown());
    own.put("done", report.done());
    own.put("dead", report.dead());
    own.put("lost", report.lost());
    own.put("orderViolations", report.orderViolations());
    own.put("fencedOverlaps", report.fencedOverlaps());
    own.put("duplicates", report.duplicates().duplicates());
    own.put("unexplained", report.duplicates().unexplained());
    own.put("retries", report.duplicates().retries());
    figures.put(queue, own);
    report.violations().forEach(text -> violations.add(queue + ": " + text));
  }

  /** What was answered to be cancelled has no start. */
  private static void judgeCancelled(
      List<String> cancelled, List<Path> histories, List<String> violations) {
    Set<String> started = new HashSet<>();
    for (Path history : histories) {
      started.addAll(StartedIds.in(history, Set.copyOf(cancelled)));
    }
    started.forEach(id -> violations.add("The task " + id + " was cancelled and ran"));
  }

  private static void judgeProgress(
      long begun,
      long loaded,
      TortureWorkers workers,
      Map<String, Object> figures,
      List<String> violations) {
    long longest = 0;
    for (StartGaps.Gap gap : StartGaps.read(workers.histories(), JOBS).longest(begun, loaded)) {
      longest = Math.max(longest, gap.nanos());
      if (gap.nanos() > STANDSTILL_NANOS_MAX) {
        violations.add(
            "L1: partition "
                + gap.partition()
                + " stood still for "
                + TimeUnit.NANOSECONDS.toMillis(gap.nanos())
                + " ms");
      }
    }
    figures.put("longestStandstillMillis", TimeUnit.NANOSECONDS.toMillis(longest));
  }

  static Path fresh(Path folder) {
    try {
      if (Files.exists(folder)) {
        try (Stream<Path> files = Files.walk(folder)) {
          for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
            Files.delete(file);
          }
        }
      }
      return Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
