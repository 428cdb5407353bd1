// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.source;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** Each line that is not blank is one JSON value, and its bytes as they are the payload. */
final class JsonLinesSource implements TaskSource {
  private final LineReader lines;
  private final TaskShape shape;

  JsonLinesSource(InputStream in, TaskShape shape) {
    this.lines = new LineReader(in, shape.lineBytesMax());
    this.shape = shape;
  }

  @Override
  public @Nullable SourceLine next() throws IOException {
    while (true) {
      byte[] line = lines.next();
      if (line == null) {
        return null;
      }
      if (lines.tooLong()) {
        return new SourceLine.Bad(lines.number(), "longer than " + shape.lineBytesMax() + " bytes");
      }
      if (!isBlank(line)) {
        return read(line);
      }
    }
  }

  private SourceLine read(byte[] line) {
    try {
      String key = JsonText.check(line, shape.keyField());
      return new SourceLine.Good(lines.number(), shape.task(line, "application/json", key));
    } catch (JsonText.NotJsonException e) {
      return new SourceLine.Bad(lines.number(), String.valueOf(e.getMessage()));
    }
  }

  private static boolean isBlank(byte[] line) {
    for (byte b : line) {
      if (b != ' ' && b != '\t' && b != '\r') {
        return false;
      }
    }
    return true;
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
