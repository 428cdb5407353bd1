// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.torture;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.BackpressureException;
import dev.sluice.SnoozeException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Does what the task says: well, slowly, badly, or not at all. Thread-safe. */
public final class TortureHandler implements TaskHandler<JsonNode> {
  private static final long SLOW_MILLIS = 300;
  private static final long HANG_NANOS = TimeUnit.SECONDS.toNanos(6);

  private final CountDownLatch never = new CountDownLatch(1);

  @Override
  public void handle(Task<JsonNode> task, TaskContext context) throws InterruptedException {
    switch (task.payload().path("do").asText()) {
      case "slow" -> await(SLOW_MILLIS);
      case "hang" -> hang();
      case "overflow" -> overflow(1);
      case "fail" -> throw new IllegalStateException("this task always fails");
      case "flaky" -> {
        if (context.attempt() <= task.payload().path("times").asInt()) {
          throw new IllegalStateException("not at attempt " + context.attempt());
        }
      }
      case "snooze" -> {
        // Half of the times that it is looked at: no state that a restart would forget.
        if (System.nanoTime() / 1_000 % 2 == 0) {
          throw new SnoozeException(
              "it is too early", Duration.ofMillis(task.payload().path("millis").asLong()));
        }
      }
      case "backpressure" -> {
        if (System.nanoTime() / 1_000 % 2 == 0) {
          throw new BackpressureException("too much", Duration.ofMillis(100));
        }
      }
      default -> await(task.payload().path("millis").asLong());
    }
  }

  private void await(long millis) throws InterruptedException {
    if (millis > 0 && never.await(millis, TimeUnit.MILLISECONDS)) {
      throw new IllegalStateException("Nobody counts this down");
    }
  }

  /** Longer than its time-out, and deaf to being interrupted; but it comes back. */
  private void hang() {
    long until = System.nanoTime() + HANG_NANOS;
    while (System.nanoTime() - until < 0) {
      try {
        await(100);
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
