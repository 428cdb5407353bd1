// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.PermanentTaskException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;

/** Every second task submits a child into its batch; those that say so fail for good. */
public final class BatchHandler implements TaskHandler<byte[]> {
  @Override
  public void handle(Task<byte[]> task, TaskContext context) {
    String text = new String(task.payload(), UTF_8);
    if (text.startsWith("fail")) {
      throw new PermanentTaskException("it says so");
    }
    if (text.startsWith("parent")) {
      String ignored =
          context.submit(Task.of(Scenario.QUEUE, "child", "child".getBytes(UTF_8)).key(task.key()));
    }
  }
}
