// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.sluice;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.sluice.benchmarks.subject.Options;
import dev.sluice.benchmarks.subject.Subject;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Sends tasks to an HTTP gateway over {@code connections} kept-alive connections, {@code lines}
 * tasks of {@code bytes} per request: 1 sends single requests, more send JSON lines. A task is done
 * when its request was answered with 2xx; any other answer ends the process.
 */
public final class GatewayLoad {
  private static final byte[] NOTHING = new byte[0];

  private GatewayLoad() {}

  /** Runs until its tasks are accepted. */
  public static void main(String[] args) throws InterruptedException {
    Options options = Options.of(args);
    Subject subject = new Subject(options);
    int lines = options.integer("lines", 1);
    AtomicLong rest = new AtomicLong(options.number("tasks", 0));
    byte[] request = request(options, lines);
    for (int i = 0; i < options.integer("connections", 16); i++) {
      new Thread(() -> send(options, request, lines, rest, subject), "load-" + i).start();
    }
    Thread.currentThread().join(); // the subject ends the process
  }

  private static byte[] request(Options options, int lines) {
    StringBuilder task = new StringBuilder("{\"n\":\"");
    while (task.length() < options.integer("bytes", 200) - 2) {
      task.append('x');
    }
    task.append("\"}");
    StringBuilder body = new StringBuilder();
    for (int i = 0; i < lines; i++) {
      body.append(task).append(lines > 1 ? "\n" : "");
    }
    String type = lines > 1 ? "application/x-ndjson" : "application/json";
    return ("POST /queues/"
            + options.text("queue")
            + "/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
            + type
            + "\r\nContent-Length: "
            + body.length()
            + "\r\n\r\n"
            + body)
        .getBytes(US_ASCII);
  }

  private static void send(
      Options options, byte[] request, int lines, AtomicLong rest, Subject subject) {
    try (Socket socket = new Socket("localhost", options.integer("port", 0))) {
      socket.setTcpNoDelay(true);
      OutputStream out = socket.getOutputStream();
      InputStream in = new BufferedInputStream(socket.getInputStream());
      while (rest.getAndAdd(-lines) > 0) {
        out.write(request);
        out.flush();
        String status = answer(in);
        if (!status.startsWith("HTTP/1.1 2")) {
          throw new IllegalStateException("The gateway answered " + status);
        }
        for (int i = 0; i < lines; i++) {
          subject.task(0, 0, null, NOTHING);
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException("A connection to the gateway failed", e);
    }
  }

  /** Reads one answer, which has a length, and returns its status line. */
  private static String answer(InputStream in) throws IOException {
    String status = line(in);
    int length = 0;
    for (String header = line(in); !header.isEmpty(); header = line(in)) {
      if (header.regionMatches(true, 0, "content-length:", 0, 15)) {
        length = Integer.parseInt(header.substring(15).trim());
      } else if (header.regionMatches(true, 0, "transfer-encoding:", 0, 18)) {
        throw new IllegalStateException("An answer in chunks was not expected");
      }
    }
    in.skipNBytes(length);
    return status;
  }

  private static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new IOException("The gateway closed the connection");
      }
      if (c != '\r') {
        line.write(c);
      }
    }
    return line.toString(US_ASCII);
  }
}
