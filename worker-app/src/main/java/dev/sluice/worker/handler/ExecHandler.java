// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import dev.sluice.BackpressureException;
import dev.sluice.ConfigException;
import dev.sluice.RetriableTaskException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a command per task: the payload on its standard input and nowhere else; id, type, queue and
 * attempt in {@code SLUICE_TASK_ID}, {@code SLUICE_TASK_TYPE}, {@code SLUICE_QUEUE} and {@code
 * SLUICE_ATTEMPT}. Exit code 0 completes the task. Any other one, 75 ({@code EX_TEMPFAIL}) too, is
 * a failed attempt whose message ends with the last 8 KiB of standard error. Standard output is
 * read, and its last 8 KiB are logged at debug. When the attempt is interrupted, the command and
 * all its descendants are ended, by TERM and two seconds later by KILL. What a command leaves
 * behind when it exits by itself is not ended.
 */
final class ExecHandler implements TaskHandler<byte[]> {
  private static final Logger LOG = LoggerFactory.getLogger(ExecHandler.class);

  /** The least that a pipe takes without its reader, on every system. */
  private static final int PIPE_BYTES = 4 << 10;

  /**
   * The most threads that feed large payloads. A command that exits and leaves a process behind
   * that keeps its standard input open without reading it keeps such a thread.
   */
  private static final int FEEDERS_MAX = 1024;

  private static final long LOOK_MILLIS_MAX = 20;

  private final List<String> command;
  private final AtomicInteger feeders = new AtomicInteger();

  /**
   * @throws ConfigException if the first word is no program that can be run
   */
  ExecHandler(List<String> command) {
    this.command = List.copyOf(command);
    String program = command.get(0);
    if (!runnable(program, System.getenv("PATH"))) {
      throw new ConfigException(
          "The command '"
              + program
              + "' of the handler exec: is no program on the PATH;"
              + " install it, or write its whole path");
    }
  }

  static boolean runnable(String program, @Nullable String searchPath) {
    if (File.separatorChar == '\\' || searchPath == null) {
      return true; // Windows adds extensions and folders of its own: starting it will tell
    }
    if (program.indexOf('/') >= 0) {
      return isProgram(Path.of(program));
    }
    for (String folder : searchPath.split(File.pathSeparator, -1)) {
      if (isProgram(Path.of(folder, program))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isProgram(Path path) {
    return Files.isRegularFile(path) && Files.isExecutable(path);
  }

  @Override
  public void handle(Task<byte[]> task, TaskContext context) throws InterruptedException {
    boolean large = task.payload().length > PIPE_BYTES;
    if (large && feeders.get() >= FEEDERS_MAX) {
      throw new BackpressureException(
          FEEDERS_MAX
              + " processes do not read their standard input; the command "
              + command.get(0)
              + " seems to leave such processes behind",
          Duration.ofSeconds(1));
    }
    Process process = start(task, context);
    try {
      OutputTail out = new OutputTail(process.getInputStream());
      OutputTail err = new OutputTail(process.getErrorStream());
      if (large) {
        feedByThread(process, task.payload());
      } else {
        feed(process, task.payload());
      }
      int exit = await(process, out, err);
      if (LOG.isDebugEnabled()) {
        LOG.debug("Task {} said: {}", Printable.text(task.id()), out.text());
      }
      if (exit != 0) {
        throw new RetriableTaskException(
            "The command " + command.get(0) + " exited with " + exit + ": " + err.text());
      }
    } finally {
      if (process.isAlive()) {
        ProcessTree.end(process.toHandle());
      }
    }
  }

  private Process start(Task<byte[]> task, TaskContext context) {
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> environment = builder.environment();
    environment.put("SLUICE_TASK_ID", Printable.text(task.id()));
    environment.put("SLUICE_TASK_TYPE", Printable.text(task.type()));
    environment.put("SLUICE_QUEUE", task.queue());
    environment.put("SLUICE_ATTEMPT", Integer.toString(context.attempt()));
    try {
      return builder.start();
    } catch (IOException e) {
      // It was there when the worker started; now processes or memory ran out, or it is replaced.
      throw new RetriableTaskException(
          "The command " + command.get(0) + " cannot be started: " + e.getMessage(), e);
    }
  }

  /** Waits for the end of the process, and reads meanwhile what it says, so that it never waits. */
  private static int await(Process process, OutputTail out, OutputTail err)
      throws InterruptedException {
    long wait = 1;
    while (!process.waitFor(wait, TimeUnit.MILLISECONDS)) {
      boolean said = out.drain() | err.drain();
      wait = said ? 1 : Math.min(LOOK_MILLIS_MAX, 2 * wait);
    }
    out.drain();
    err.drain();
    return process.exitValue();
  }

  /** A command may read its input late or never, and what no pipe holds then waits in a thread. */
  private void feedByThread(Process process, byte[] payload) {
    Thread thread =
        new Thread(
            () -> {
              try {
                feed(process, payload);
              } finally {
                feeders.decrementAndGet();
              }
            },
            "sluice-exec-stdin-" + process.pid());
    thread.setDaemon(true);
    feeders.incrementAndGet();
    try {
      thread.start();
    } catch (Throwable t) {
      feeders.decrementAndGet();
      throw t;
    }
  }

  private static void feed(Process process, byte[] payload) {
    try (OutputStream stdin = process.getOutputStream()) {
      stdin.write(payload);
    } catch (IOException e) {
      LOG.debug("Process {} did not read its whole input", process.pid());
    }
  }
}
