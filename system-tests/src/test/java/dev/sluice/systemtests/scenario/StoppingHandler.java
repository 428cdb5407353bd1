// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.StopWorkerException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Ends its worker where the payload says so, with the task done or given back. */
public final class StoppingHandler implements TaskHandler<byte[]> {
  @Override
  public void handle(Task<byte[]> task, TaskContext context) {
    String text = new String(task.payload(), UTF_8);
    if (text.equals("stop, done")) {
      throw StopWorkerException.taskDone("the task says so");
    }
    if (text.equals("stop, returned") && context.worker().equals("first")) {
      throw StopWorkerException.taskReturned("the task says so");
    }
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
  }
}
