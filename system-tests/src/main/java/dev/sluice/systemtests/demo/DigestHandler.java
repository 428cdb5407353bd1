// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.PermanentTaskException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

/** The demo's work: the SHA-256 of a file, appended as one JSON line to a file of results. */
public final class DigestHandler implements TaskHandler<DigestHandler.FileTask> {
  /** The system property that names the file of results. */
  static final String RESULTS = "sluice.demo.results";

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /**
   * The payload.
   *
   * @param path the file
   */
  public record FileTask(String path) {}

  private final OutputStream results;

  /** Opens the file of results that the system property names. */
  public DigestHandler() throws IOException {
    results = new FileOutputStream(System.getProperty(RESULTS), true);
  }

  @Override
  public void handle(Task<FileTask> task, TaskContext context) throws IOException {
    String path = task.payload().path();
    String digest;
    try {
      digest = sha256(Path.of(path));
    } catch (NoSuchFileException e) {
      throw new PermanentTaskException("The file " + path + " is gone", e);
    }
    String line = MAPPER.writeValueAsString(Map.of("path", path, "sha256", digest)) + "\n";
    results.write(line.getBytes(UTF_8));
  }

  private static String sha256(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[64 << 10];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JVM has SHA-256", e);
    }
  }
}
