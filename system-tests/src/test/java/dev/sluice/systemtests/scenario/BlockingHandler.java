// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.util.concurrent.CountDownLatch;

/** Waits until it is interrupted. */
public final class BlockingHandler implements TaskHandler<byte[]> {
  private final CountDownLatch never = new CountDownLatch(1);

  @Override
  public void handle(Task<byte[]> task, TaskContext context) throws InterruptedException {
    never.await();
  }
}
