// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.process;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.sluice.history.HistoryEvent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Counts the events of one kind in histories that grow; what was counted is not read again. Not
 * thread-safe.
 */
public final class EventCounter {
  /** How a line begins; its first byte comes no second time, so that matching needs no table. */
  private final byte[] begin;

  private final Map<Path, long[]> seen = new HashMap<>();
  private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16);

  /** Nothing counted yet. */
  public EventCounter(HistoryEvent event) {
    begin = ("{\"event\":\"" + event.word() + "\"").getBytes(US_ASCII);
  }

  /** All such events in these files so far; a file that is not there yet has none. */
  public long count(List<Path> histories) {
    long all = 0;
    for (Path file : histories) {
      all += count(file);
    }
    return all;
  }

  /** The same of one file. */
  public long count(Path file) {
    // Where to go on, events so far, and how many bytes of the pattern were just seen.
    long[] state = seen.computeIfAbsent(file, f -> new long[3]);
    if (!Files.exists(file)) {
      return state[1];
    }
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      channel.position(state[0]);
      while (channel.read(buffer.clear()) > 0) {
        buffer.flip();
        state[0] += buffer.remaining();
        while (buffer.hasRemaining()) {
          byte next = buffer.get();
          int matched = (int) state[2];
          matched = next == begin[matched] ? matched + 1 : next == begin[0] ? 1 : 0;
          if (matched == begin.length) {
            state[1]++;
            matched = 0;
          }
          state[2] = matched;
        }
      }
      return state[1];
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
