// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Calls a downstream that is away while a file is there. */
public final class OutageHandler implements TaskHandler<byte[]> {
  static final String FILE = "sluice.outage.file";

  private final Path away = Path.of(System.getProperty(FILE));

  @Override
  public void handle(Task<byte[]> task, TaskContext context) throws IOException {
    if (Files.exists(away)) {
      throw new IOException("connection refused");
    }
  }
}
