// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.BackpressureException;
import dev.sluice.ConfigException;
import dev.sluice.RetriableTaskException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a command per task: the payload on its standard input and nowhere else; id, type, queue and
 * attempt in {@code SLUICE_TASK_ID}, {@code SLUICE_TASK_TYPE}, {@code SLUICE_QUEUE} and {@code
 * SLUICE_ATTEMPT}. Exit code 0 completes the task. Any other one, 75 ({@code EX_TEMPFAIL}) too, is
 * a failed attempt whose message ends with the last 8 KiB of standard error. What is on standard
 * output is passed on. When the attempt is interrupted, the command and all its descendants are
 * ended, by TERM and two seconds later by KILL. What a command leaves behind when it exits by
 * itself is not ended.
 */
final class ExecHandler implements TaskHandler<byte[]> {
  private static final Logger LOG = LoggerFactory.getLogger(ExecHandler.class);

  /** The least that a pipe takes without its reader, on every system. */
  private static final int PIPE_BYTES = 4 << 10;

  /**
   * The most threads that feed or listen to what commands have left behind: processes that keep the
   * streams of a command open when it has ended. Each running command has two of its own at most.
   */
  private static final int LEFT_BEHIND_MAX = 1024;

  /** How often it is looked whether a command has told of its progress. */
  private static final long LOOK_MILLIS = 250;

  /** How long the end of standard error is waited for if somebody keeps it open. */
  private static final long COMPLAINT_MILLIS = 500;

  private final List<String> command;
  private final Redirect output;
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger helpers = new AtomicInteger();

  /**
   * @param output where the standard output of the commands goes
   * @throws ConfigException if the first word is no program that can be run
   */
  ExecHandler(List<String> command, Redirect output) {
    this.command = List.copyOf(command);
    this.output = output;
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
    if (helpers.get() - 2 * running.get() >= LEFT_BEHIND_MAX) {
      throw new BackpressureException(
          LEFT_BEHIND_MAX
              + " streams are kept open by processes that the command "
              + command.get(0)
              + " started and left behind",
          Duration.ofSeconds(1));
    }
    running.incrementAndGet();
    try (AnswerFile answer = AnswerFile.create()) {
      run(task, context, start(task, context, answer), answer);
    } finally {
      running.decrementAndGet();
    }
  }

  private void run(Task<byte[]> task, TaskContext context, Process process, AnswerFile answer)
      throws InterruptedException {
    try {
      OutputTail complaint = new OutputTail(process.getErrorStream());
      help(complaint, "sluice-exec-stderr-" + process.pid());
      if (task.payload().length > PIPE_BYTES) {
        // It may be read late or never, and what no pipe holds then waits.
        help(() -> feed(process, task.payload()), "sluice-exec-stdin-" + process.pid());
      } else {
        feed(process, task.payload());
      }
      while (!process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        answer.progress().ifPresent(context::heartbeat);
      }
      int exit = process.exitValue();
      Optional<JsonNode> said = answer.outcome();
      if (said.isPresent()) {
        new HandlerAnswer("The command " + command.get(0)).conclude(task, context, said.get());
        return;
      }
      if (exit != 0) {
        complaint.awaitEnd(COMPLAINT_MILLIS);
        throw new RetriableTaskException(
            "The command " + command.get(0) + " exited with " + exit + ": " + complaint.text());
      }
    } finally {
      if (process.isAlive()) {
        ProcessTree.end(process.toHandle());
      }
    }
  }

  private Process start(Task<byte[]> task, TaskContext context, AnswerFile answer) {
    ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(output);
    Map<String, String> environment = builder.environment();
    environment.put("SLUICE_TASK_ID", Printable.text(task.id()));
    environment.put("SLUICE_TASK_TYPE", Printable.text(task.type()));
    environment.put("SLUICE_QUEUE", task.queue());
    environment.put("SLUICE_ANSWER", answer.path());
    environment.put("SLUICE_ATTEMPT", Integer.toString(context.attempt()));
    try {
      return builder.start();
    } catch (IOException e) {
      // It was there when the worker started; now processes or memory ran out, or it is replaced.
      throw new RetriableTaskException(
          "The command " + command.get(0) + " cannot be started: " + e.getMessage(), e);
    }
  }

  private void help(Runnable work, String name) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } finally {
                helpers.decrementAndGet();
              }
            },
            name);
    thread.setDaemon(true);
    helpers.incrementAndGet();
    try {
      thread.start();
    } catch (Throwable t) {
      helpers.decrementAndGet();
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
