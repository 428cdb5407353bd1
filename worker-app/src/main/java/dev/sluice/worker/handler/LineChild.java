// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One process that works tasks one after the other: a line in, lines out. Three threads serve its
 * streams, since none of these can be waited for with an end: what is asked of it here can be
 * interrupted. For one thread at a time.
 */
final class LineChild {
  /** The longest line that it may print. */
  static final int LINE_BYTES_MAX = 1 << 20;

  private static final Logger LOG = LoggerFactory.getLogger("dev.sluice.tasks");
  private static final int COMPLAINT_CHARS_MAX = 8 << 10;
  private static final long END_MILLIS = 2_000;
  private static final long COMPLAINT_MILLIS = 300;

  /** What it prints, or why there is nothing more. */
  sealed interface Reply {}

  /** One line. */
  record Line(String text) implements Reply {}

  /** It printed too long a line. */
  record TooLong() implements Reply {}

  /** Its standard output ended. */
  record Ended() implements Reply {}

  private final Process process;
  private final SynchronousQueue<Reply> replies = new SynchronousQueue<>();
  private final SynchronousQueue<byte[]> lines = new SynchronousQueue<>();
  private final StringBuilder complaint = new StringBuilder();
  private final Thread complaints;
  private volatile String task = "";
  private volatile boolean closed;

  LineChild(Process process) {
    this.process = process;
    start(this::read, "stdout");
    start(this::write, "stdin");
    this.complaints = start(this::listen, "stderr");
  }

  private Thread start(Runnable work, String stream) {
    Thread thread = new Thread(work, "sluice-lines-" + stream + "-" + process.pid());
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  // ---- its streams ----

  private void read() {
    try (InputStream out = new BufferedInputStream(process.getInputStream())) {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      for (int b = out.read(); b >= 0; b = out.read()) {
        if (b != '\n') {
          line.write(b);
          if (line.size() > LINE_BYTES_MAX) {
            tell(new TooLong());
            return;
          }
        } else if (!tell(new Line(line.toString(UTF_8)))) {
          return;
        } else {
          line.reset();
        }
      }
    } catch (IOException e) {
      // It ended, and the stream was closed with it.
    }
    boolean ignored = tell(new Ended());
  }

  /** Waits until somebody asks: at most one reply is ahead of its reader. */
  private boolean tell(Reply reply) {
    try {
      while (!closed) {
        if (replies.offer(reply, 1, TimeUnit.SECONDS)) {
          return true;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return false;
  }

  private void write() {
    try (OutputStream in = process.getOutputStream()) {
      while (!closed && process.isAlive()) {
        byte[] line = lines.poll(1, TimeUnit.SECONDS);
        if (line != null) {
          in.write(line);
          in.write('\n');
          in.flush();
        }
      }
    } catch (IOException e) {
      // It reads no more, and its end is seen where its output is read.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void listen() {
    try (BufferedReader err =
        new BufferedReader(new InputStreamReader(process.getErrorStream(), UTF_8))) {
      StringBuilder line = new StringBuilder();
      for (int c = err.read(); c >= 0; c = err.read()) {
        if (c == '\n' || line.length() >= COMPLAINT_CHARS_MAX) {
          said(line.toString());
          line.setLength(0);
        }
        if (c != '\n') {
          line.append((char) c);
        }
      }
      if (line.length() > 0) {
        said(line.toString());
      }
    } catch (IOException e) {
      // It ended.
    }
  }

  private void said(String line) {
    LOG.info("task {} pid={} says: {}", task, process.pid(), Printable.text(line));
    synchronized (complaint) {
      complaint.append(line).append('\n');
      int over = complaint.length() - COMPLAINT_CHARS_MAX;
      if (over > 0) {
        complaint.delete(0, over);
      }
    }
  }

  // ---- a task ----

  /** Whether it can be given a task. */
  boolean isAlive() {
    return process.isAlive();
  }

  /**
   * Gives it a line.
   *
   * @param id of the task, for the log
   * @return false if it takes none any more
   */
  boolean send(String id, byte[] line) throws InterruptedException {
    task = Printable.text(id);
    synchronized (complaint) {
      complaint.setLength(0);
    }
    while (process.isAlive()) {
      if (lines.offer(line, 100, TimeUnit.MILLISECONDS)) {
        return true;
      }
    }
    return false;
  }

  /** What it prints next. */
  Reply next() throws InterruptedException {
    return replies.take();
  }

  /** How it ended and what it said last, for people. */
  String ending() throws InterruptedException {
    boolean over = process.waitFor(COMPLAINT_MILLIS, TimeUnit.MILLISECONDS);
    complaints.join(COMPLAINT_MILLIS);
    String said;
    synchronized (complaint) {
      said = complaint.toString().strip();
    }
    String exit = over ? "ended with exit code " + process.exitValue() : "closed its output";
    return said.isEmpty() ? exit : exit + ": " + said;
  }

  /** Lets it end by the end of its input, within two seconds. */
  void close() {
    closed = true;
    try {
      if (!process.waitFor(END_MILLIS, TimeUnit.MILLISECONDS)) {
        ProcessTree.end(process.toHandle());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      ProcessTree.end(process.toHandle());
    }
  }

  /** Ends it now, with all that it has started. */
  void end() {
    closed = true;
    ProcessTree.end(process.toHandle());
  }
}
