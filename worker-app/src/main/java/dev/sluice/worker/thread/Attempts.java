// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.thread;

import dev.sluice.worker.engine.TaskRun;

/** Runs the attempts of tasks, and writes those elsewhere that leave their lanes. */
public interface Attempts {
  /** Decides between the return of a handler and the giving up of its thread. */
  interface Conclusion {
    /**
     * The handler has returned. To be called exactly once per attempt, before anything comes of it.
     *
     * @param endNanos the present monotonic time
     * @return false if the thread was given up before: what the handler did no longer counts
     */
    boolean conclude(long endNanos);
  }

  /**
   * Runs one attempt on the calling thread, user code included. Never throws.
   *
   * @param startNanos the present monotonic time
   * @param conclusion to be told as soon as the handler has returned
   * @return how it ended
   */
  Outcome run(TaskRun run, long startNanos, Conclusion conclusion);

  /** The longest that an attempt of this task may take, in nanoseconds. */
  long timeoutNanos(TaskRun run);

  /**
   * The outcome of an attempt whose handler did not return when its time was up and it was
   * interrupted.
   */
  Outcome.Dead hung(TaskRun run, long nanos);

  /**
   * Told once of an attempt that runs far longer than its handler usually takes. Under the engine's
   * lock; must not block for long.
   *
   * @param nanos how long it has run
   * @param usualNanos what its handler takes on average
   */
  default void slow(TaskRun run, long nanos, long usualNanos) {}

  /**
   * Told that an attempt after which the task was to leave does not count: its partition is gone.
   * Under the engine's lock; must not block for long.
   */
  void dropped(TaskRun run);

  /** Has a task written to where it goes. Called under the engine's lock; must not block. */
  void leave(TaskRun run, Outcome.Leaving why);
}
