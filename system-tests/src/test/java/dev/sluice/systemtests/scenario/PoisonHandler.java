// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.util.concurrent.CountDownLatch;

/** Does what the task says, which is not always good. */
public final class PoisonHandler implements TaskHandler<JsonNode> {
  private final CountDownLatch never = new CountDownLatch(1);

  @Override
  public void handle(Task<JsonNode> task, TaskContext context) {
    switch (task.payload().path("do").asText()) {
      case "hang" -> hang();
      case "overflow" -> overflow(1);
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
