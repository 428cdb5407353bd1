// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.source;

import dev.sluice.ConfigException;
import java.io.InputStream;

/** The forms in which tasks are read. */
public enum SourceFormat {
  /** One JSON value per line; the payload is the line as it is. Empty lines are skipped. */
  JSONL,
  /** One task per line, whatever it holds; the payload is the line. */
  LINES,
  /** Comma-separated, the first record has the names; the payload is a JSON object of texts. */
  CSV;

  /**
   * Reads a stream in this form.
   *
   * @param in is closed with the source
   * @throws ConfigException if the shape asks for what this form cannot give
   */
  public TaskSource open(InputStream in, TaskShape shape) {
    return switch (this) {
      case JSONL -> new JsonLinesSource(in, shape);
      case LINES -> {
        if (shape.keyField() != null) {
          throw new ConfigException(
              "--key-field "
                  + shape.keyField()
                  + " needs --format jsonl or csv: plain lines have no fields.");
        }
        yield new PlainLinesSource(in, shape);
      }
      case CSV -> new CsvSource(in, shape);
    };
  }
}
