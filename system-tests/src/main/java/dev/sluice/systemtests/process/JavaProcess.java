// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * A JVM of its own on the class path of this one, with its output in a file. It ends with this JVM.
 * Thread-safe.
 */
public final class JavaProcess implements AutoCloseable {
  private static final Duration SIGNAL_WAIT = Duration.ofSeconds(10);
  private static final int LOG_TAIL_CHARS = 4_000;

  private static final Set<Process> RUNNING = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> RUNNING.forEach(Process::destroyForcibly), "sluice-end-child-processes"));
  }

  private final Process process;
  private final String name;
  private final Path log;

  private JavaProcess(Process process, String name, Path log) {
    this.process = process;
    this.name = name;
    this.log = log;
  }

  /**
   * Starts a process.
   *
   * @param mainClass the name of the class with {@code main}
   * @param jvmOptions for example {@code -Xmx256m}
   * @param log takes what it prints, behind what is there already
   */
  public static JavaProcess start(
      String mainClass, List<String> jvmOptions, List<String> arguments, Path log) {
    return start(mainClass, jvmOptions, arguments, log, ProcessBuilder.Redirect.PIPE);
  }

  /** Starts a process that reads a file as its standard input. */
  public static JavaProcess startWithInput(
      String mainClass, List<String> arguments, Path input, Path log) {
    return start(
        mainClass, List.of(), arguments, log, ProcessBuilder.Redirect.from(input.toFile()));
  }

  private static JavaProcess start(
      String mainClass,
      List<String> jvmOptions,
      List<String> arguments,
      Path log,
      ProcessBuilder.Redirect input) {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classPath = System.getProperty("java.class.path");
    return start(java, classPath, mainClass, jvmOptions, arguments, log, input);
  }

  /**
   * Starts a process of another JVM or on another class path.
   *
   * @param java the executable
   */
  public static JavaProcess start(
      String java,
      String classPath,
      String mainClass,
      List<String> jvmOptions,
      List<String> arguments,
      Path log) {
    return start(
        java, classPath, mainClass, jvmOptions, arguments, log, ProcessBuilder.Redirect.PIPE);
  }

  private static JavaProcess start(
      String java,
      String classPath,
      String mainClass,
      List<String> jvmOptions,
      List<String> arguments,
      Path log,
      ProcessBuilder.Redirect input) {
    List<String> command = new ArrayList<>();
    command.add(java);
    command.addAll(jvmOptions);
    command.addAll(List.of("-cp", classPath, mainClass));
    command.addAll(arguments);
    String name = mainClass.substring(mainClass.lastIndexOf('.') + 1);
    try {
      Files.createDirectories(log.toAbsolutePath().getParent());
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectInput(input)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
              .start();
      RUNNING.removeIf(ended -> !ended.isAlive());
      RUNNING.add(process);
      return new JavaProcess(process, name, log);
    } catch (IOException e) {
      throw new HarnessException(name + " cannot be started: " + e.getMessage(), e);
    }
  }

  /** Ends the process at once, with SIGKILL, and waits until it is gone. */
  public void kill9() {
    process.destroyForcibly();
    awaitExit(SIGNAL_WAIT);
  }

  /** Asks the process to end, with SIGTERM; does not wait. */
  public void terminate() {
    process.destroy();
  }

  /** Lets the process stand still, with SIGSTOP. */
  public void suspend() {
    signal("-STOP");
  }

  /** Lets the process go on, with SIGCONT. */
  public void resume() {
    signal("-CONT");
  }

  private void signal(String signal) {
    try {
      Process kill = new ProcessBuilder("kill", signal, Long.toString(pid())).start();
      if (!kill.waitFor(SIGNAL_WAIT.toSeconds(), TimeUnit.SECONDS) || kill.exitValue() != 0) {
        throw new HarnessException("kill " + signal + " " + pid() + " did not work", null);
      }
    } catch (IOException e) {
      throw new HarnessException("kill " + signal + " " + pid() + " did not work", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HarnessException("Interrupted while " + name + " was sent a signal", e);
    }
  }

  /**
   * Waits for the end of the process.
   *
   * @return its exit code
   * @throws HarnessException if it is still there then; its text ends with the log
   */
  public int awaitExit(Duration most) {
    try {
      if (!process.waitFor(most.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new HarnessException(
            name + " did not end within " + most.toMillis() + " ms:\n" + logTail(), null);
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HarnessException("Interrupted while " + name + " was to end", e);
    }
  }

  /** The process id. */
  public long pid() {
    return process.pid();
  }

  /** Whether it runs. */
  public boolean alive() {
    return process.isAlive();
  }

  /** The processor time it has used. */
  public Duration cpu() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** The end of what it printed. */
  public String logTail() {
    try {
      String text = Files.readString(log);
      return text.substring(Math.max(0, text.length() - LOG_TAIL_CHARS));
    } catch (IOException e) {
      return "(" + log + " cannot be read)";
    }
  }

  /** Ends the process at once if it still runs, even if it stands still. */
  @Override
  public void close() {
    if (process.isAlive()) {
      kill9();
    }
  }
}
