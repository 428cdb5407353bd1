// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.sluice.history.HistoryEvent;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads one history file line by line, in memory for one line. A last line without its line feed is
 * what kill -9 leaves behind and is skipped; every other damaged line is an error.
 */
final class HistoryReader {
  private static final int LINE_BYTES_MAX = 1 << 20;
  private static final JsonFactory JSON = new JsonFactory();
  private static final Map<String, HistoryEvent> EVENTS = new HashMap<>();

  static {
    for (HistoryEvent event : HistoryEvent.values()) {
      EVENTS.put(event.name().toLowerCase(Locale.ROOT), event);
    }
  }

  private final Path file;
  private byte[] line = new byte[4096];
  private int length;
  private long number;
  private long linesMax = Long.MAX_VALUE;

  private HistoryReader(Path file) {
    this.file = file;
  }

  /**
   * Gives each line to a consumer, in the order of the file.
   *
   * @return whether the last line was torn
   * @throws HistoryFormatException if another line is damaged or the file cannot be read
   */
  static boolean read(Path file, Consumer<HistoryLine> into) {
    return new HistoryReader(file).readAll(into);
  }

  /** As {@link #read}, of the first line only. */
  static boolean readFirst(Path file, Consumer<HistoryLine> into) {
    HistoryReader reader = new HistoryReader(file);
    reader.linesMax = 1;
    return reader.readAll(into);
  }

  private boolean readAll(Consumer<HistoryLine> into) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] block = new byte[1 << 16];
      for (int read = in.read(block); read >= 0; read = in.read(block)) {
        for (int i = 0; i < read; i++) {
          if (block[i] == '\n') {
            number++;
            into.accept(parse());
            length = 0;
            if (number == linesMax) {
              return false;
            }
          } else {
            append(block[i]);
          }
        }
      }
    } catch (IOException e) {
      throw new HistoryFormatException("The history file " + file + " cannot be read", e);
    }
    return length > 0;
  }

  private void append(byte b) {
    if (length == line.length) {
      if (length == LINE_BYTES_MAX) {
        number++;
        throw damaged("is longer than " + LINE_BYTES_MAX + " bytes", null);
      }
      line = Arrays.copyOf(line, length * 2);
    }
    line[length++] = b;
  }

  private HistoryLine parse() {
    Fields fields = new Fields();
    try (JsonParser parser = JSON.createParser(line, 0, length)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw damaged("is no JSON object", null);
      }
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        JsonToken value = parser.nextToken();
        if (value == null || value.isStructStart()) {
          throw damaged("has no plain value for '" + name + "'", null);
        }
        fields.put(name, parser);
      }
      if (parser.nextToken() != null) {
        throw damaged("goes on after its object", null);
      }
    } catch (IOException e) {
      throw damaged("is no JSON: " + e.getMessage(), e);
    }
    return fields.toLine();
  }

  private HistoryFormatException damaged(String how, @Nullable Throwable cause) {
    return new HistoryFormatException(
        "Line " + number + " of the history file " + file + " " + how, cause);
  }

  private final class Fields {
    private @Nullable HistoryEvent event;
    private @Nullable String id;
    private @Nullable String key;
    private @Nullable String queue;
    private @Nullable String incarnation;
    private @Nullable String error;
    private int partition = -1;
    private int attempt = 1;
    private long offset = -1;
    private long mono;
    private boolean timed;

    void put(String name, JsonParser parser) throws IOException {
      switch (name) {
        case "event" -> event = EVENTS.get(parser.getText());
        case "id" -> id = parser.getText();
        case "key" -> key = parser.currentToken() == JsonToken.VALUE_NULL ? null : parser.getText();
        case "queue" -> queue = parser.getText();
        case "incarnation" -> incarnation = parser.getText();
        case "error" -> error = parser.getText();
        case "partition" -> partition = parser.getIntValue();
        case "attempt" -> attempt = parser.getIntValue();
        case "offset" -> offset = parser.getLongValue();
        case "mono" -> {
          mono = parser.getLongValue();
          timed = true;
        }
        default -> {
          // Fields of later versions say nothing about these rules.
        }
      }
    }

    HistoryLine toLine() {
      HistoryEvent known = event;
      String task = id;
      if (known == null || task == null || !timed) {
        throw damaged("names no event that the checker knows, no id or no mono", null);
      }
      boolean submitted =
          known == HistoryEvent.REJECTED
              || known == HistoryEvent.UNKNOWN
              || known == HistoryEvent.ACCEPTED;
      // A delayed task has no place in its queue until it is due, or ever where it is cancelled.
      boolean placed = !submitted && known != HistoryEvent.CANCELLED;
      if (placed && (partition < 0 || offset < 0)) {
        throw damaged("is '" + known.word() + "' and names no partition and offset", null);
      }
      if (!submitted && incarnation == null) {
        throw damaged("is '" + known.word() + "' and names no incarnation of a worker", null);
      }
      return new HistoryLine(
          known, task, key, queue, partition, offset, attempt, incarnation, mono, error);
    }
  }
}
