// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.source;

import dev.sluice.SluiceException;
import java.io.FilterReader;
import java.io.IOException;
import java.io.Reader;

/** Lets only so many characters through between two calls of {@link #next()}. */
final class BoundedReader extends FilterReader {
  private final long charsMax;
  private long chars;

  /** More characters than allowed. */
  static final class TooLongException extends SluiceException {
    private static final long serialVersionUID = 1L;

    TooLongException(long charsMax) {
      super("More than " + charsMax + " characters without an end");
    }
  }

  BoundedReader(Reader in, long charsMax) {
    super(in);
    this.charsMax = charsMax;
  }

  void next() {
    chars = 0;
  }

  @Override
  public int read() throws IOException {
    int one = super.read();
    count(one < 0 ? 0 : 1);
    return one;
  }

  @Override
  public int read(char[] buffer, int offset, int length) throws IOException {
    int count = super.read(buffer, offset, length);
    count(Math.max(0, count));
    return count;
  }

  private void count(int more) {
    chars += more;
    if (chars > charsMax) {
      throw new TooLongException(charsMax);
    }
  }
}
