// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.Cancellation;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** A task that was handed to the brokers. Thread-safe. */
public sealed interface TaskHandle extends ResultHandle permits Submission {
  /**
   * Completes with where the task is; or exceptionally with a {@link TaskRefusedException} (it was
   * not published) or an {@link dev.sluice.UnknownOutcomeException} (it may have been). It always
   * completes within {@code delivery.timeout.ms}, or when the producer is closed.
   *
   * <p>What is chained to it runs on the thread that talks to the brokers and must not block; use
   * the {@code Async} methods with an executor for anything longer. Each call returns a future of
   * its own, and cancelling that does not take the task back.
   */
  CompletableFuture<Acceptance> accepted();

  /**
   * Asks for the task not to run, wherever it waits.
   *
   * @param timeout for the answer
   * @return the answer, on a thread that must not be blocked; {@link Cancellation#NOT_SEEN} if none
   *     came in time. It fails with a {@link dev.sluice.SluiceException} where it could not be
   *     asked for
   */
  CompletableFuture<Cancellation> cancel(Duration timeout);

  /**
   * Waits for the acknowledgement.
   *
   * @param timeout how long at most
   * @throws TaskRefusedException if the task was not published
   * @throws dev.sluice.UnknownOutcomeException if its fate is not known, or not yet: also when the
   *     time is up or the thread is interrupted (which stays interrupted)
   */
  Acceptance awaitAccepted(Duration timeout);
}
