// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;

/**
 * The last bytes of what a process writes to one of its streams. It reads only what is there and
 * never waits, so no thread is needed, and none is lost to a process that keeps the stream open.
 * For one thread.
 */
final class OutputTail {
  /** How much is kept. */
  static final int BYTES_MAX = 8 << 10;

  /** How much is read per visit, so that a process that never stops talking ends no loop. */
  private static final int VISIT_BYTES_MAX = 256 << 10;

  private final InputStream stream;
  private final byte[] kept = new byte[BYTES_MAX];
  private long read;

  OutputTail(InputStream stream) {
    this.stream = stream;
  }

  /** Reads what is there; whether there was anything. */
  boolean drain() {
    byte[] buffer = new byte[BYTES_MAX];
    int seen = 0;
    try {
      for (int n = read(buffer); n > 0 && seen < VISIT_BYTES_MAX; n = read(buffer)) {
        keep(buffer, n);
        seen += n;
      }
    } catch (IOException e) {
      return false; // the stream was closed with its process: there is nothing more to read
    }
    return seen > 0;
  }

  private int read(byte[] buffer) throws IOException {
    // When the process ends, the JDK replaces the stream under this lock. Without it, what
    // available() has seen may be gone before read(), which would then wait.
    synchronized (stream) {
      int there = stream.available();
      return there > 0 ? stream.read(buffer, 0, Math.min(there, buffer.length)) : 0;
    }
  }

  private void keep(byte[] buffer, int n) {
    int at = (int) (read % BYTES_MAX);
    int first = Math.min(n, BYTES_MAX - at);
    System.arraycopy(buffer, 0, kept, at, first);
    System.arraycopy(buffer, first, kept, 0, n - first);
    read += n;
  }

  /** What was read last, as text. */
  String text() {
    int length = (int) Math.min(read, BYTES_MAX);
    int at = read > BYTES_MAX ? (int) (read % BYTES_MAX) : 0;
    byte[] text = new byte[length];
    System.arraycopy(kept, at, text, 0, length - at);
    System.arraycopy(kept, 0, text, length - at, at);
    return (read > BYTES_MAX ? "..." : "") + new String(text, UTF_8).strip();
  }
}
