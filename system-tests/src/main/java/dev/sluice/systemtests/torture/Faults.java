// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.torture;

import dev.sluice.localkafka.KafkaProcess;
import dev.sluice.systemtests.check.Disturbance;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is done to the fleet, drawn from a seed: one fault after the other. Not thread-safe. */
final class Faults {
  /** What can be done. */
  enum Kind {
    KILL_WORKER,
    STOP_WORKER,
    SUSPEND_WORKER,
    JOIN_WORKER,
    KILL_TWO_WORKERS,
    KILL_BROKER,
    RESTART_BROKER,
    ADD_PARTITIONS,
    LOSE_CONTROL_RECORDS,
    REDRIVE,
    KILL_REDRIVE
  }

  private static final Logger LOG = LoggerFactory.getLogger(Faults.class);
  private static final int BROKERS = 3;
  private static final int PARTITIONS_ADDED_MAX = 3;

  /** How long groups may need to be well again after a broker was away. */
  private static final long SETTLE_NANOS = TimeUnit.SECONDS.toNanos(20);

  private final KafkaProcess kafka;
  private final Admin admin;
  private final Path folder;
  private final SplittableRandom random;
  private final TortureWorkers workers;
  private final Map<Kind, Integer> counts = new TreeMap<>();
  private final List<Disturbance> outages = new ArrayList<>();
  private int added;
  private int redrives;

  Faults(
      KafkaProcess kafka,
      Admin admin,
      Path folder,
      TortureWorkers workers,
      SplittableRandom random) {
    this.kafka = kafka;
    this.admin = admin;
    this.folder = folder;
    this.workers = workers;
    this.random = random;
  }

  /** One fault, whole: afterwards there are as many workers and brokers as before. */
  void next() {
    Kind kind = Kind.values()[random.nextInt(Kind.values().length)];
    LOG.info("fault {}", kind);
    counts.merge(kind, 1, Integer::sum);
    switch (kind) {
      case KILL_WORKER -> {
        workers.kill(random.nextInt(workers.size()));
        rest(3_000);
        workers.start();
      }
      case KILL_TWO_WORKERS -> {
        workers.kill(random.nextInt(workers.size()));
        workers.kill(random.nextInt(workers.size()));
        workers.start();
        workers.start();
      }
      case STOP_WORKER -> {
        workers.stop(random.nextInt(workers.size()));
        workers.start();
      }
      case JOIN_WORKER -> {
        workers.start();
        rest(8_000);
        workers.stop(workers.size() - 1);
      }
      case SUSPEND_WORKER -> suspend();
      case KILL_BROKER -> broker(true);
      case RESTART_BROKER -> broker(false);
      case ADD_PARTITIONS -> addPartitions();
      case LOSE_CONTROL_RECORDS -> loseControlRecords();
      case REDRIVE -> redrive(false);
      case KILL_REDRIVE -> redrive(true);
    }
  }

  /** Lets the fleet be for a while. */
  void rest(int mostMillis) {
    long until = SystemClock.INSTANCE.nanos() + random.nextLong(mostMillis * 1_000_000L);
    while (SystemClock.INSTANCE.nanos() - until < 0) {
      LockSupport.parkNanos(until - SystemClock.INSTANCE.nanos());
    }
  }

  private void suspend() {
    WorkerProcess worker = workers.get(random.nextInt(workers.size()));
    worker.sample();
    worker.suspend();
    rest(15_000);
    worker.resume();
  }

  private void broker(boolean kill) {
    int broker = 1 + random.nextInt(BROKERS);
    long from = SystemClock.INSTANCE.nanos();
    if (kill) {
      kafka.kill(broker);
    } else {
      kafka.stop(broker);
    }
    rest(8_000);
    kafka.restart(broker);
    outages.add(Disturbance.outage(from, SystemClock.INSTANCE.nanos() + SETTLE_NANOS));
  }

  private void addPartitions() {
    if (added < PARTITIONS_ADDED_MAX) {
      int more = TortureRun.JOBS_PARTITIONS + added + 1;
      if (tried(
          "add partitions",
          () ->
              admin
                  .createPartitions(Map.of(TortureRun.JOBS, NewPartitions.increaseTo(more)))
                  .all()
                  .get(20, TimeUnit.SECONDS))) {
        added++;
      }
    }
  }

  /** How many the jobs topic has now. */
  int jobsPartitions() {
    return TortureRun.JOBS_PARTITIONS + added;
  }

  /** All of them: what was reported, granted and set. */
  private void loseControlRecords() {
    boolean ignored =
        tried(
            "lose the control records",
            () ->
                admin
                    .deleteTopics(List.of("sluice.reports", "sluice.grants"))
                    .all()
                    .get(20, TimeUnit.SECONDS));
  }

  private void redrive(boolean killed) {
    redrives++;
    try (JavaProcess redrive =
        JavaProcess.start(
            "dev.sluice.console.cli.DeadMain",
            List.of("-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            List.of(
                "redrive",
                TortureRun.JOBS,
                "-b",
                kafka.bootstrapServers(),
                "--rate",
                "100",
                "--execute"),
            folder.resolve("redrive-" + redrives + ".log"))) {
      if (killed) {
        rest(3_000);
        redrive.kill9();
      } else {
        int ignored = redrive.awaitExit(Duration.ofMinutes(2));
      }
    }
  }

  private interface Request {
    Object make() throws ExecutionException, InterruptedException, TimeoutException;
  }

  /** A request of the test's own may fail when a broker was away a moment ago. */
  private static boolean tried(String what, Request request) {
    try {
      Object ignored = request.make();
      return true;
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("It was not possible to {}: {}", what, e.toString());
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** How often each was done. */
  Map<Kind, Integer> counts() {
    return counts;
  }

  /** When brokers were away. */
  List<Disturbance> outages() {
    return outages;
  }
}
