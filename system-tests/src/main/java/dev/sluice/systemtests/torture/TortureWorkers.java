// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.torture;

import dev.sluice.systemtests.check.Disturbance;
import dev.sluice.systemtests.process.HarnessException;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The workers of a torture run, those that have ended included. Not thread-safe. */
final class TortureWorkers implements AutoCloseable {
  private static final Duration READY = Duration.ofSeconds(90);
  private static final Duration STOP = Duration.ofSeconds(30);

  private final Path folder;
  private final List<String> arguments;
  private final List<WorkerProcess> all = new ArrayList<>();
  private final List<WorkerProcess> running = new ArrayList<>();
  private final List<String> troubles = new ArrayList<>();

  /**
   * @param arguments of {@code work}, without a name
   */
  TortureWorkers(Path folder, List<String> arguments) {
    this.folder = folder;
    this.arguments = arguments;
  }

  void start() {
    String name = "worker-" + all.size();
    List<String> own = new ArrayList<>(arguments);
    own.addAll(List.of("--name", name));
    WorkerProcess worker =
        WorkerProcess.start(
            folder, name, List.of("-Xmx160m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"), own);
    all.add(worker);
    running.add(worker);
  }

  void kill(int index) {
    WorkerProcess worker = running.remove(index);
    worker.sample();
    worker.kill9();
  }

  /** An orderly stop, which has to end with 0. */
  void stop(int index) {
    WorkerProcess worker = running.remove(index);
    awaitReady(worker); // before that, the JVM alone answers a signal
    int code = worker.stop(STOP);
    if (code != 0) {
      troubles.add("A worker that was asked to stop exited with " + code);
    }
  }

  static void awaitReady(WorkerProcess worker) {
    long deadline = SystemClock.INSTANCE.nanos() + READY.toNanos();
    while (!worker.health().ready()) {
      if (SystemClock.INSTANCE.nanos() - deadline > 0 || !worker.process().alive()) {
        throw new HarnessException(
            "A worker did not become ready:\n" + worker.process().logTail(), null);
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
    }
  }

  void stopAll() {
    while (!running.isEmpty()) {
      stop(0);
    }
  }

  WorkerProcess get(int index) {
    return running.get(index);
  }

  int size() {
    return running.size();
  }

  List<Path> histories() {
    return all.stream().map(WorkerProcess::history).filter(Files::exists).toList();
  }

  List<Disturbance> disturbances() {
    return all.stream().flatMap(worker -> worker.disturbances().stream()).toList();
  }

  /** What workers did that they should not have, beside their histories. */
  List<String> troubles() {
    for (WorkerProcess worker : running) {
      if (!worker.process().alive()) {
        troubles.add("A worker ended by itself:\n" + worker.process().logTail());
      }
    }
    return troubles;
  }

  @Override
  public void close() {
    all.forEach(WorkerProcess::close);
  }
}
