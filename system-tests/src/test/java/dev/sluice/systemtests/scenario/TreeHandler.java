// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;

/** Submits two tasks into the queue of its task, until so many generations are there. */
public final class TreeHandler implements TaskHandler<byte[]> {
  @Override
  public void handle(Task<byte[]> task, TaskContext context) {
    int left = Integer.parseInt(new String(task.payload(), UTF_8));
    for (int i = 0; left > 0 && i < 2; i++) {
      String id =
          context.submit(
              Task.of(Scenario.QUEUE, "node", Integer.toString(left - 1).getBytes(UTF_8)));
      if (!id.startsWith(String.valueOf(task.id()))) {
        throw new IllegalStateException(id + " is not made of " + task.id());
      }
    }
  }
}
