// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.PermanentTaskException;
import dev.sluice.RetriableTaskException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a command per task: the payload on its standard input and nowhere else. Exit code 0
 * completes the task, anything else is a failed attempt whose message ends with what the command
 * said last on standard error. When the attempt is interrupted, the command and all its descendants
 * are ended.
 */
final class ExecHandler implements TaskHandler<byte[]> {
  private static final Logger LOG = LoggerFactory.getLogger(ExecHandler.class);
  private static final int KEPT_BYTES = 8 << 10;
  private static final long TERM_GRACE_MILLIS = 500;

  private final List<String> command;

  ExecHandler(List<String> command) {
    this.command = List.copyOf(command);
  }

  @Override
  public void handle(Task<byte[]> task, TaskContext context) throws InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("SLUICE_TASK_ID", String.valueOf(task.id()));
    builder.environment().put("SLUICE_ATTEMPT", Integer.toString(context.attempt()));
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new PermanentTaskException(
          "The command " + command.get(0) + " cannot be started: " + e.getMessage(), e);
    }
    try {
      Tail out = Tail.of(process.getInputStream(), "out", process.pid());
      Tail err = Tail.of(process.getErrorStream(), "err", process.pid());
      Thread in = feeder(process.getOutputStream(), task.payload(), process.pid());
      int exit = process.waitFor();
      in.join();
      out.join();
      err.join();
      LOG.debug("Task {} said: {}", task.id(), out.text());
      if (exit != 0) {
        throw new RetriableTaskException(
            "The command " + command.get(0) + " exited with " + exit + ": " + err.text());
      }
    } finally {
      end(process);
    }
  }

  /** A command may read its input late or never, so it is fed by a thread of its own. */
  private static Thread feeder(OutputStream stdin, byte[] payload, long pid) {
    Thread thread =
        new Thread(
            () -> {
              try (stdin) {
                stdin.write(payload);
              } catch (IOException e) {
                LOG.debug("Process {} did not read its whole input", pid);
              }
            },
            "sluice-exec-in-" + pid);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  /** Ends what is left of the process and its descendants, first kindly. */
  private static void end(Process process) {
    List<ProcessHandle> tree;
    try (Stream<ProcessHandle> below = process.descendants()) {
      tree = below.toList();
    }
    if (!process.isAlive() && tree.isEmpty()) {
      return;
    }
    process.destroy();
    tree.forEach(ProcessHandle::destroy);
    boolean interrupted = Thread.interrupted();
    try {
      if (!process.waitFor(TERM_GRACE_MILLIS, TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      interrupted = true;
      process.destroyForcibly();
    }
    tree.forEach(ProcessHandle::destroyForcibly);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Reads a stream to its end and keeps the last of it. */
  private static final class Tail {
    private final byte[] kept = new byte[KEPT_BYTES];
    private long read;
    private final Thread thread;

    private Tail(InputStream stream, String name, long pid) {
      this.thread = new Thread(() -> drain(stream), "sluice-exec-" + name + "-" + pid);
      thread.setDaemon(true);
    }

    static Tail of(InputStream stream, String name, long pid) {
      Tail tail = new Tail(stream, name, pid);
      tail.thread.start();
      return tail;
    }

    private void drain(InputStream stream) {
      byte[] buffer = new byte[KEPT_BYTES];
      try (stream) {
        for (int n = stream.read(buffer); n >= 0; n = stream.read(buffer)) {
          keep(buffer, n);
        }
      } catch (IOException e) {
        LOG.debug("The output of a process ended early: {}", e.toString());
      }
    }

    private synchronized void keep(byte[] buffer, int n) {
      for (int i = 0; i < n; i++) {
        kept[(int) (read++ % KEPT_BYTES)] = buffer[i];
      }
    }

    void join() throws InterruptedException {
      thread.join();
    }

    synchronized String text() {
      int length = (int) Math.min(read, KEPT_BYTES);
      byte[] text = new byte[length];
      for (int i = 0; i < length; i++) {
        text[i] = kept[(int) ((read - length + i) % KEPT_BYTES)];
      }
      return new String(text, UTF_8).strip();
    }
  }
}
