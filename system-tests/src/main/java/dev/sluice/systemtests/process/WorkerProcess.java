// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.process;

import dev.sluice.systemtests.check.Disturbance;
import dev.sluice.systemtests.check.Incarnations;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The command {@code work} in a process of its own, with its history and its health port. Remembers
 * what was done to it, for the checker. Not thread-safe.
 */
public final class WorkerProcess implements AutoCloseable {
  private static final String MAIN = "dev.sluice.worker.cli.WorkMain";
  private static final Pattern PORT = Pattern.compile("Metrics and health on port (\\d+)\\R");

  /** Made of {@link Disturbance} as soon as the incarnation is known from the history. */
  private record Fault(long fromMono, long toMono, long uncommitted, long sampledMono) {}

  private final JavaProcess process;
  private final Path history;
  private final HealthClient health;
  private final List<Fault> faults = new ArrayList<>();
  private long suspendedMono;
  private long uncommitted = -1;
  private long sampledMono;
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
    return start(MAIN, folder, name, jvmOptions, arguments);
  }

  /**
   * Starts another program that takes the arguments and says the port as {@code work} does.
   *
   * @param main the name of its class
   */
  public static WorkerProcess start(
      String main, Path folder, String name, List<String> jvmOptions, List<String> arguments) {
    Path history = folder.resolve(name + ".history.jsonl");
    List<String> all = new ArrayList<>(arguments);
    // Any free port: one that is chosen here may be taken by then.
    all.addAll(List.of("--history", history.toString(), "--metrics-port", "0"));
    Path log = folder.resolve(name + ".log");
    JavaProcess process = JavaProcess.start(main, jvmOptions, all, log);
    return new WorkerProcess(process, history, new HealthClient(portIn(log)));
  }

  /** The port that a worker took, from its log; 0 if it does not say so yet. Not thread-safe. */
  private static IntSupplier portIn(Path log) {
    int[] known = new int[1];
    return () -> {
      if (known[0] == 0 && Files.exists(log)) {
        try {
          Matcher said = PORT.matcher(Files.readString(log));
          while (said.find()) {
            known[0] = Integer.parseInt(said.group(1));
          }
        } catch (IOException e) {
          throw new HarnessException(log + " cannot be read: " + e.getMessage(), e);
        }
      }
      return known[0];
    };
  }

  /**
   * Asks the worker what a crash would run again, for the disturbance that comes next: after a
   * rebalance that hangs, for example, this is more than what ended in the last moment.
   */
  public void sample() {
    sampledMono = SystemClock.INSTANCE.nanos();
    Map<String, Double> metrics = health.metrics();
    uncommitted = -1;
    metrics.forEach(
        (name, value) -> {
          if (name.startsWith("sluice_worker_uncommitted")) {
            uncommitted = Math.max(0, uncommitted) + value.longValue();
          }
        });
  }

  /** Ends the worker as kill -9 does. */
  public void kill9() {
    long now = SystemClock.INSTANCE.nanos();
    faults.add(new Fault(now, Long.MAX_VALUE, uncommitted, uncommitted < 0 ? now : sampledMono));
    process.kill9();
  }

  /** Lets the worker stand still. */
  public void suspend() {
    suspendedMono = SystemClock.INSTANCE.nanos();
    process.suspend();
  }

  /** Lets the worker go on. */
  public void resume() {
    faults.add(
        new Fault(
            suspendedMono,
            SystemClock.INSTANCE.nanos(),
            uncommitted,
            uncommitted < 0 ? suspendedMono : sampledMono));
    uncommitted = -1;
    process.resume();
  }

  /** The id of the process. */
  public long pid() {
    return process.pid();
  }

  /** Waits until the worker has ended by itself, and returns its exit code. */
  public int awaitExit(Duration most) {
    return process.awaitExit(most);
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
                  (fault.toMono() == Long.MAX_VALUE
                          ? Disturbance.kill(name, fault.fromMono())
                          : Disturbance.suspension(name, fault.fromMono(), fault.toMono()))
                      .sampled(fault.uncommitted(), fault.sampledMono())));
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
