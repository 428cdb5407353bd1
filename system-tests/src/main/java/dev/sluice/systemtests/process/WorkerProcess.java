// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.process;

import dev.sluice.systemtests.check.Disturbance;
import dev.sluice.systemtests.check.Incarnations;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The command {@code work} in a process of its own, with its history and its health port. Remembers
 * what was done to it, for the checker. Not thread-safe.
 */
public final class WorkerProcess implements AutoCloseable {
  private static final String MAIN = "dev.sluice.worker.cli.WorkMain";

  /** Made of {@link Disturbance} as soon as the incarnation is known from the history. */
  private record Fault(long fromMono, long toMono) {}

  private final JavaProcess process;
  private final Path history;
  private final HealthClient health;
  private final List<Fault> faults = new ArrayList<>();
  private long suspendedMono;
  private @Nullable String incarnation;

  private WorkerProcess(JavaProcess process, Path history, HealthClient health) {
    this.process = process;
    this.history = history;
    this.health = health;
  }

  /**
   * Starts a worker.
   *
   * @param folder takes the log and the history
   * @param name different for each start
   * @param arguments of {@code work}, without history and metrics port
   */
  public static WorkerProcess start(
      Path folder, String name, List<String> jvmOptions, List<String> arguments) {
    Path history = folder.resolve(name + ".history.jsonl");
    int port = freePort();
    List<String> all = new ArrayList<>(arguments);
    all.addAll(List.of("--history", history.toString(), "--metrics-port", Integer.toString(port)));
    JavaProcess process = JavaProcess.start(MAIN, jvmOptions, all, folder.resolve(name + ".log"));
    return new WorkerProcess(process, history, new HealthClient(port));
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new HarnessException("No port is free: " + e.getMessage(), e);
    }
  }

  /** Ends the worker as kill -9 does. */
  public void kill9() {
    faults.add(new Fault(SystemClock.INSTANCE.nanos(), Long.MAX_VALUE));
    process.kill9();
  }

  /** Lets the worker stand still. */
  public void suspend() {
    suspendedMono = SystemClock.INSTANCE.nanos();
    process.suspend();
  }

  /** Lets the worker go on. */
  public void resume() {
    faults.add(new Fault(suspendedMono, SystemClock.INSTANCE.nanos()));
    process.resume();
  }

  /** Asks the worker to stop and waits for it; returns its exit code. */
  public int stop(Duration most) {
    process.terminate();
    return process.awaitExit(most);
  }

  /** What was done to the worker; nothing if it had not begun a task. */
  public List<Disturbance> disturbances() {
    Optional<String> known = incarnation();
    List<Disturbance> all = new ArrayList<>();
    for (Fault fault : faults) {
      known.ifPresent(
          name ->
              all.add(
                  fault.toMono() == Long.MAX_VALUE
                      ? Disturbance.kill(name, fault.fromMono())
                      : Disturbance.suspension(name, fault.fromMono(), fault.toMono())));
    }
    return all;
  }

  private Optional<String> incarnation() {
    if (incarnation == null) {
      incarnation = Incarnations.firstIn(history).orElse(null);
    }
    return Optional.ofNullable(incarnation);
  }

  /** The process. */
  public JavaProcess process() {
    return process;
  }

  /** Its history file, which may not exist yet. */
  public Path history() {
    return history;
  }

  /** Its health and metrics. */
  public HealthClient health() {
    return health;
  }

  @Override
  public void close() {
    process.close();
  }
}
