// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A task that says {@code wait} runs until it is told to stop, and is done then. */
public final class CancelHandler implements TaskHandler<byte[]> {
  @Override
  public void handle(Task<byte[]> task, TaskContext context) {
    while (new String(task.payload(), UTF_8).equals("wait") && !context.cancelled()) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
    }
  }
}
