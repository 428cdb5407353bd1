// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.PermanentTaskException;
import dev.sluice.RetriableTaskException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A file in which the command of one task may say more than an exit code can: JSON objects, one per
 * line, as the answers of {@code lines:}, without ids. It is gone with the task. Not thread-safe.
 */
final class AnswerFile implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int BYTES_MAX = 1 << 20;

  private final Path file;
  private long seen;

  private AnswerFile(Path file) {
    this.file = file;
  }

  /** An empty one, which only this user can read. */
  static AnswerFile create() {
    try {
      return new AnswerFile(Files.createTempFile("sluice-answer-", ".jsonl"));
    } catch (IOException e) {
      throw new RetriableTaskException(
          "There is no file to be had for the answer of a command: " + e.getMessage(), e);
    }
  }

  String path() {
    return file.toString();
  }

  /** What was said of the progress last, if anything was said since the last call. */
  Optional<String> progress() {
    try {
      long size = Files.size(file);
      if (size == seen) {
        return Optional.empty();
      }
      seen = size;
    } catch (IOException e) {
      return Optional.empty(); // the command has moved it away: its exit code decides
    }
    JsonNode last = last("progress");
    return last == null ? Optional.empty() : Optional.of(last.get("progress").asText());
  }

  /** What was said of the outcome, if anything was. */
  Optional<JsonNode> outcome() {
    return Optional.ofNullable(last("outcome"));
  }

  private @Nullable JsonNode last(String field) {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(BYTES_MAX + 1);
    } catch (IOException e) {
      return null;
    }
    if (bytes.length > BYTES_MAX) {
      throw new PermanentTaskException(
          "A command wrote more than " + BYTES_MAX + " bytes into the file SLUICE_ANSWER");
    }
    JsonNode found = null;
    String text = new String(bytes, UTF_8);
    for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
      try {
        JsonNode node = line.isBlank() ? null : JSON.readTree(line);
        found = node != null && node.has(field) ? node : found;
      } catch (IOException e) {
        throw new PermanentTaskException(
            "A command wrote a line into the file SLUICE_ANSWER that is no JSON: '"
                + HandlerAnswer.shown(line)
                + "'",
            e);
      }
    }
    return found;
  }

  @Override
  public void close() {
    try {
      boolean ignored = Files.deleteIfExists(file);
    } catch (IOException e) {
      file.toFile().deleteOnExit();
    }
  }
}
