// SPDX-License-Identifier: Apache-2.0
package dev.sluice.history;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.sluice.SluiceException;
import dev.sluice.time.Clock;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Appends the history of a process to a file, one JSON line per event and one unbuffered write per
 * line, so that whatever kills the process tears no line but its last. Thread-safe. Not a {@code
 * FileChannel}: interrupting a handler's thread would close that.
 */
public final class HistoryWriter implements AutoCloseable {
  private final OutputStream out;
  private final Path file;
  private final Clock clock;
  private final String suffix;

  private HistoryWriter(OutputStream out, Path file, Clock clock, String suffix) {
    this.out = out;
    this.file = file;
    this.clock = clock;
    this.suffix = suffix;
  }

  /**
   * The history of a worker.
   *
   * @param incarnation distinguishes this start of the process from every other
   * @throws SluiceException if the file cannot be opened for appending
   */
  public static HistoryWriter ofWorker(Path file, String worker, String incarnation, Clock clock) {
    return open(
        file, clock, ",\"worker\":" + quoted(worker) + ",\"incarnation\":" + quoted(incarnation));
  }

  /**
   * The history of a producer.
   *
   * @throws SluiceException if the file cannot be opened for appending
   */
  public static HistoryWriter ofProducer(Path file, Clock clock) {
    return open(file, clock, "");
  }

  private static HistoryWriter open(Path file, Clock clock, String suffix) {
    try {
      return new HistoryWriter(new FileOutputStream(file.toFile(), true), file, clock, suffix);
    } catch (IOException e) {
      throw new SluiceException(
          "The history file "
              + file
              + " cannot be opened for appending: "
              + e.getMessage()
              + ". Name a file in a writable folder with --history.",
          e);
    }
  }

  /**
   * One event of a worker's task.
   *
   * @param attempt 1 for the first
   * @param error what went wrong, for {@link HistoryEvent#FAILED} and {@link HistoryEvent#DEAD};
   *     null where nothing did
   */
  public void task(
      HistoryEvent event,
      String id,
      byte @Nullable [] key,
      String queue,
      int partition,
      long offset,
      int attempt,
      @Nullable String error) {
    StringBuilder line = start(event, id, key);
    line.append(",\"queue\":").append(quoted(queue));
    line.append(",\"partition\":").append(partition).append(",\"offset\":").append(offset);
    line.append(",\"attempt\":").append(attempt);
    if (error != null) {
      line.append(",\"error\":").append(quoted(error));
    }
    write(line.append(suffix));
  }

  /** One event of a producer's task; partition and offset are -1 where they are not known. */
  public void submitted(
      HistoryEvent event, String id, byte @Nullable [] key, int partition, long offset) {
    StringBuilder line = start(event, id, key);
    line.append(",\"partition\":").append(partition).append(",\"offset\":").append(offset);
    write(line.append(suffix));
  }

  private static StringBuilder start(HistoryEvent event, String id, byte @Nullable [] key) {
    StringBuilder line = new StringBuilder(256);
    line.append("{\"event\":\"").append(event.word()).append("\",\"id\":").append(quoted(id));
    line.append(",\"key\":").append(key == null ? "null" : quoted(new String(key, UTF_8)));
    return line;
  }

  private void write(StringBuilder line) {
    line.append(",\"at\":").append(clock.epochMicros());
    line.append(",\"mono\":").append(clock.nanos()).append("}\n");
    try {
      out.write(line.toString().getBytes(UTF_8));
    } catch (IOException e) {
      throw new SluiceException(
          "The history file " + file + " cannot be written: " + e.getMessage(), e);
    }
  }

  private static String quoted(String text) {
    return '"' + String.valueOf(JsonStringEncoder.getInstance().quoteAsString(text)) + '"';
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw new SluiceException("The history file " + file + " cannot be closed", e);
    }
  }
}
