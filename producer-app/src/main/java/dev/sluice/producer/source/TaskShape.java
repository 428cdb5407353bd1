// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.source;

import dev.sluice.ConfigException;
import dev.sluice.Task;
import dev.sluice.wire.TaskHeaders;
import org.jspecify.annotations.Nullable;

/**
 * What is alike in all tasks of a source.
 *
 * @param queue they go to
 * @param type of each
 * @param keyField the field whose value is the ordering key: a column, or a path with dots into the
 *     JSON; null for no key
 * @param lineBytesMax the longest line, 1 to 1 GiB; a longer one is bad
 */
public record TaskShape(String queue, String type, @Nullable String keyField, int lineBytesMax) {
  /** What brokers take by default, with room for headers. */
  public static final int LINE_BYTES_DEFAULT = 1 << 20;

  public TaskShape {
    if (lineBytesMax < 1 || lineBytesMax > 1 << 30) {
      throw new ConfigException(
          "A longest line of " + lineBytesMax + " bytes is outside of 1 to " + (1 << 30) + ".");
    }
  }

  Task<byte[]> task(byte[] payload, String contentType, @Nullable String key) {
    Task<byte[]> task = Task.of(queue, type, payload).header(TaskHeaders.CONTENT_TYPE, contentType);
    return key == null ? task : task.key(key);
  }
}
