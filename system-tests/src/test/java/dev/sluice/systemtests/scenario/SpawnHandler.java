// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Submits two tasks for each; every hundredth task fails once after that. */
public final class SpawnHandler implements TaskHandler<byte[]> {
  static final String CHILDREN = "children";

  @Override
  public void handle(Task<byte[]> task, TaskContext context) {
    for (int i = 0; i < 2; i++) {
      String id = context.submit(Task.of(CHILDREN, "child", "x".getBytes(UTF_8)).key(task.key()));
      if (!id.equals(task.id() + "." + (i + 1))) {
        throw new IllegalStateException(id + " is not made of " + task.id());
      }
    }
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
    if (context.attempt() == 1 && context.offset() % 100 == 3) {
      throw new IllegalStateException("Fails once, after it has submitted");
    }
  }
}
