// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.PermanentTaskException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.util.Map;

/** Gives the length of its payload as the result; fails for good where that says so. */
public final class ResultHandler implements TaskHandler<byte[]> {
  @Override
  public void handle(Task<byte[]> task, TaskContext context) {
    String text = new String(task.payload(), UTF_8);
    if (text.contains("fail")) {
      throw new PermanentTaskException("it says so");
    }
    context.result(Map.of("length", text.length()));
  }
}
