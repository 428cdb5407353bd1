// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Does what the task says, which is not always good. */
public final class PoisonHandler implements TaskHandler<JsonNode> {
  /** Less than the time-out of the worker. */
  private static final long HOLD_MILLIS = 1_500;

  private final CountDownLatch never = new CountDownLatch(1);

  @Override
  public void handle(Task<JsonNode> task, TaskContext context) throws InterruptedException {
    switch (task.payload().path("do").asText()) {
      case "hang" -> hang();
      case "overflow" -> overflow(1);
      case "hold" -> never.await(HOLD_MILLIS, TimeUnit.MILLISECONDS);
      case "fail" -> throw new IllegalStateException("this task always fails");
      default -> {
        // A good task.
      }
    }
  }

  private void hang() {
    while (never.getCount() > 0) {
      try {
        never.await();
      } catch (InterruptedException e) {
        // The handler that nobody can stop.
      }
    }
  }

  @SuppressWarnings("InfiniteRecursion") // that is what it is for
  private static int overflow(int depth) {
    return overflow(depth + 1) + depth;
  }
}
