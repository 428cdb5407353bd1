// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.source;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Lines as bytes, ended by LF or CRLF, never more of one in memory than allowed. A byte order mark
 * at the start is skipped, and an end without LF still ends a line. For one thread.
 */
public final class LineReader implements Closeable {
  private static final int BUFFER_BYTES = 1 << 16;
  private static final byte[] NOTHING = new byte[0];

  private final InputStream in;
  private final int lineBytesMax;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int position;
  private int limit;
  private long number;
  private boolean tooLong;

  /**
   * @param in is closed with the reader
   * @param lineBytesMax the longest line, without its end
   */
  public LineReader(InputStream in, int lineBytesMax) {
    this.in = in;
    this.lineBytesMax = lineBytesMax;
  }

  /**
   * The next line without its end, or null when there is none. Where the line is too long, what is
   * returned is empty, {@link #tooLong()} is true, and the rest of the line is skipped.
   */
  public byte @Nullable [] next() throws IOException {
    byte[] line = NOTHING;
    tooLong = false;
    boolean any = false;
    while (true) {
      if (position == limit && !fill()) {
        if (!any) {
          return null;
        }
        number++;
        return trimmed(line);
      }
      any = true;
      int end = position;
      while (end < limit && buffer[end] != '\n') {
        end++;
      }
      line = tooLong ? NOTHING : append(line, end);
      boolean complete = end < limit;
      position = complete ? end + 1 : end;
      if (complete) {
        number++;
        return trimmed(line);
      }
    }
  }

  private byte[] append(byte[] line, int end) {
    int more = end - position;
    // One more than allowed, for the CR of a CRLF.
    if ((long) line.length + more > lineBytesMax + 1L) {
      tooLong = true;
      return NOTHING;
    }
    byte[] longer = Arrays.copyOf(line, line.length + more);
    System.arraycopy(buffer, position, longer, line.length, more);
    return longer;
  }

  private byte[] trimmed(byte[] line) {
    byte[] trimmed = line;
    if (number == 1 && startsWithMark(trimmed)) {
      trimmed = Arrays.copyOfRange(trimmed, 3, trimmed.length);
    }
    if (trimmed.length > 0 && trimmed[trimmed.length - 1] == '\r') {
      trimmed = Arrays.copyOf(trimmed, trimmed.length - 1);
    }
    if (trimmed.length > lineBytesMax) {
      tooLong = true;
      return NOTHING;
    }
    return trimmed;
  }

  private static boolean startsWithMark(byte[] line) {
    return line.length >= 3
        && line[0] == (byte) 0xef
        && line[1] == (byte) 0xbb
        && line[2] == (byte) 0xbf;
  }

  private boolean fill() throws IOException {
    position = 0;
    limit = Math.max(0, in.read(buffer));
    return limit > 0;
  }

  /** Whether the last line was longer than allowed. */
  public boolean tooLong() {
    return tooLong;
  }

  /** The number of the last line, from 1. */
  public long number() {
    return number;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
