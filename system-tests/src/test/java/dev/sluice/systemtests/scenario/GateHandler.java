// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.util.concurrent.CountDownLatch;

/**
 * Keeps the tasks that say {@code wait} until the process is one of those that let them through.
 */
public final class GateHandler implements TaskHandler<byte[]> {
  static final String OPEN = "gate.open";

  private final boolean open = Boolean.getBoolean(OPEN);
  private final CountDownLatch never = new CountDownLatch(1);

  @Override
  public void handle(Task<byte[]> task, TaskContext context) throws InterruptedException {
    if (!open && new String(task.payload(), UTF_8).equals("wait")) {
      never.await();
    }
  }
}
