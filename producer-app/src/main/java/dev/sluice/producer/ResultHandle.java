// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.TaskResult;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** A task that somebody waits for. Thread-safe. */
public interface ResultHandle {
  /** The id of the task. */
  String id();

  /**
   * Completes with how the task ended, whatever that is; or exceptionally, if it was not submitted,
   * its fate is not known, or the producer was closed before. It may never complete: workers may be
   * away for ever.
   *
   * <p>What is chained to it runs on the thread that reads results and must not block. Each call
   * returns a future of its own.
   *
   * @throws IllegalStateException if nobody asked for the result: see {@link
   *     dev.sluice.Task#withResult}
   */
  CompletableFuture<TaskResult> ended();

  /**
   * Waits for the end of the task.
   *
   * @param timeout how long at most
   * @return the result of its handler
   * @throws dev.sluice.TaskFailedException if it failed for good, expired or was cancelled; with
   *     type and message of the failure, and the number of attempts
   * @throws dev.sluice.ResultTimeoutException if it has not ended by then, or the thread was
   *     interrupted (which stays interrupted); it goes on
   * @throws dev.sluice.SluiceException if it was not submitted, its fate is not known, or the
   *     producer was closed before
   * @throws IllegalStateException if nobody asked for the result
   */
  TaskResult result(Duration timeout);

  /**
   * Waits for the result as an object.
   *
   * @throws dev.sluice.PermanentTaskException if the result is no such object
   * @see #result(Duration)
   */
  default <T> T result(Class<T> type, Duration timeout) {
    return result(timeout).value(type);
  }
}
