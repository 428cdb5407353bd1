// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.ResultTimeoutException;
import dev.sluice.SluiceException;
import dev.sluice.TaskResult;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waiting for results. */
final class Results {
  private Results() {}

  /** A handle of a task that this producer has not submitted itself. */
  static ResultHandle handle(String id, CompletableFuture<TaskResult> future) {
    return new ResultHandle() {
      @Override
      public String id() {
        return id;
      }

      @Override
      public CompletableFuture<TaskResult> ended() {
        return future.copy();
      }

      @Override
      public TaskResult result(Duration timeout) {
        return await(id, future, timeout);
      }
    };
  }

  static TaskResult await(String id, CompletableFuture<TaskResult> future, Duration timeout) {
    try {
      return future.get(Nanos.of(timeout), TimeUnit.NANOSECONDS).orThrow();
    } catch (TimeoutException e) {
      throw new ResultTimeoutException(
          "Task " + id + " has not ended within " + timeout.toMillis() + " ms; it goes on");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ResultTimeoutException(
          "The thread was interrupted while it waited for task " + id + ", which goes on");
    } catch (ExecutionException e) {
      throw e.getCause() instanceof SluiceException known
          ? known
          : new SluiceException("The result of task " + id + " is not known", e.getCause());
    }
  }
}
