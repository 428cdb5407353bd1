// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.source;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** Each line is a task. */
final class PlainLinesSource implements TaskSource {
  private final LineReader lines;
  private final TaskShape shape;

  PlainLinesSource(InputStream in, TaskShape shape) {
    this.lines = new LineReader(in, shape.lineBytesMax());
    this.shape = shape;
  }

  @Override
  public @Nullable SourceLine next() throws IOException {
    byte[] line = lines.next();
    if (line == null) {
      return null;
    }
    if (lines.tooLong()) {
      return new SourceLine.Bad(lines.number(), "longer than " + shape.lineBytesMax() + " bytes");
    }
    return new SourceLine.Good(lines.number(), shape.task(line, "text/plain; charset=utf-8", null));
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
