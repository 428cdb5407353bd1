// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Takes two milliseconds, and fails the tasks that say until when. */
public final class HoldKeyHandler implements TaskHandler<JsonNode> {
  private final CountDownLatch never = new CountDownLatch(1);

  @Override
  public void handle(Task<JsonNode> task, TaskContext context) throws InterruptedException {
    boolean ignored = never.await(2, TimeUnit.MILLISECONDS);
    if (System.currentTimeMillis() < task.payload().path("failsUntil").asLong()) {
      throw new IllegalStateException("this key fails for a while");
    }
  }
}
