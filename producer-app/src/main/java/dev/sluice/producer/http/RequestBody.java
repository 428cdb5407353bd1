// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.http;

import dev.sluice.SluiceException;
import dev.sluice.time.Clock;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** The body of a request, bounded in bytes and in the time until it is read. For one thread. */
final class RequestBody extends FilterInputStream {
  private final long bytesMax;
  private final Clock clock;
  private final long startNanos;
  private final long maxNanos;
  private long bytes;

  /** A body that is not read further, and the status that says why. */
  static final class RefusedBodyException extends SluiceException {
    private static final long serialVersionUID = 1L;

    private final int status;

    RefusedBodyException(int status, String message) {
      super(message);
      this.status = status;
    }

    int status() {
      return status;
    }
  }

  RequestBody(InputStream in, long bytesMax, Clock clock, long maxNanos) {
    super(in);
    this.bytesMax = bytesMax;
    this.clock = clock;
    this.startNanos = clock.nanos();
    this.maxNanos = maxNanos;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int count;
    try {
      count = super.read(buffer, offset, length);
    } catch (IOException e) {
      throw new RefusedBodyException(408, "The body did not come: " + e.getMessage());
    }
    bytes += Math.max(0, count);
    if (bytes > bytesMax) {
      throw new RefusedBodyException(
          413, "The body is longer than " + bytesMax + " bytes; send it in parts.");
    }
    if (leftNanos() == 0) {
      throw new RefusedBodyException(
          408, "The body took longer than " + maxNanos / 1_000_000 + " ms.");
    }
    return count;
  }

  long leftNanos() {
    return Math.max(0, maxNanos - (clock.nanos() - startNanos));
  }
}
