// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The last bytes of what a process writes to one of its streams. Read by a thread of its own with
 * reads that wait: when a process ends, the JDK takes what is left in the pipe aside, and a reader
 * that only looks whether something is there misses it meanwhile. Thread-safe.
 */
final class OutputTail implements Runnable {
  /** How much is kept. */
  static final int BYTES_MAX = 8 << 10;

  private final InputStream stream;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final byte[] kept = new byte[BYTES_MAX];
  private long read;

  OutputTail(InputStream stream) {
    this.stream = stream;
  }

  /** Reads until all who can write to the stream have ended. */
  @Override
  public void run() {
    byte[] buffer = new byte[BYTES_MAX];
    try {
      for (int n = stream.read(buffer); n >= 0; n = stream.read(buffer)) {
        keep(buffer, n);
      }
    } catch (IOException e) {
      // The stream was closed with its process: there is nothing more to read.
    } finally {
      ended.countDown();
    }
  }

  /** Waits until everything was read; false if somebody keeps the stream open. */
  boolean awaitEnd(long millis) throws InterruptedException {
    return ended.await(millis, TimeUnit.MILLISECONDS);
  }

  private synchronized void keep(byte[] buffer, int n) {
    int at = (int) (read % BYTES_MAX);
    int first = Math.min(n, BYTES_MAX - at);
    System.arraycopy(buffer, 0, kept, at, first);
    System.arraycopy(buffer, first, kept, 0, n - first);
    read += n;
  }

  /** What was read last, as text. */
  synchronized String text() {
    int length = (int) Math.min(read, BYTES_MAX);
    int at = read > BYTES_MAX ? (int) (read % BYTES_MAX) : 0;
    byte[] text = new byte[length];
    System.arraycopy(kept, at, text, 0, length - at);
    System.arraycopy(kept, 0, text, length - at, at);
    return (read > BYTES_MAX ? "..." : "") + new String(text, UTF_8).strip();
  }
}
