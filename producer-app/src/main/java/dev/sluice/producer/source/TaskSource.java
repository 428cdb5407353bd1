// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.source;

import java.io.Closeable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Tasks from a stream, one at a time; it holds one line in memory. For one thread. */
public interface TaskSource extends Closeable {
  /**
   * The next line, or null at the end.
   *
   * @throws IOException if the stream cannot be read
   */
  @Nullable SourceLine next() throws IOException;
}
