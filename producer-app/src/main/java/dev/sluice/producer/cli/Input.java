// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.cli;

import dev.sluice.ConfigException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The file or standard input of a run. Where it must be read twice, standard input is kept in a
 * temporary file, up to a size. For one thread.
 */
final class Input implements AutoCloseable {
  private final String name;
  private final InputStream standardInput;
  private final long spoolBytesMax;
  private @Nullable Path spool;

  Input(String name, InputStream standardInput, long spoolBytesMax) {
    this.name = name;
    this.standardInput = standardInput;
    this.spoolBytesMax = spoolBytesMax;
  }

  /** Keeps standard input, so that it can be opened more than once. */
  void spool() throws IOException {
    if (!name.equals("-")) {
      return;
    }
    Path file = Files.createTempFile("sluice-produce-", ".spool");
    spool = file;
    long bytes = 0;
    byte[] buffer = new byte[1 << 16];
    try (OutputStream out = Files.newOutputStream(file)) {
      for (int count = standardInput.read(buffer); count >= 0; count = standardInput.read(buffer)) {
        bytes += count;
        if (bytes > spoolBytesMax) {
          throw new ConfigException(
              "--strict keeps standard input in a temporary file, and it is longer than"
                  + " --strict-spool-max="
                  + spoolBytesMax
                  + " bytes. Raise that, or give a file. Nothing was published.");
        }
        out.write(buffer, 0, count);
      }
    }
  }

  InputStream open() {
    try {
      if (spool != null) {
        return Files.newInputStream(spool);
      }
      if (name.equals("-")) {
        return new FilterInputStream(standardInput) {
          @Override
          public void close() {
            // It belongs to the process, and a thread may be blocked in it.
          }
        };
      }
      Path file = Path.of(name);
      if (Files.isDirectory(file)) {
        throw new ConfigException("--file " + name + " is a folder; name a file, or - for stdin.");
      }
      return Files.newInputStream(file);
    } catch (IOException e) {
      throw new ConfigException(
          "--file " + name + " cannot be read: " + e + ". Name a file, or - for stdin.", e);
    }
  }

  String name() {
    return name.equals("-") ? "standard input" : name;
  }

  @Override
  public void close() throws IOException {
    if (spool != null) {
      Files.deleteIfExists(spool);
    }
  }
}
