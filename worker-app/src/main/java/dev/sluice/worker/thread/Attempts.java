// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.thread;

import dev.sluice.worker.engine.TaskRun;

/** Runs the attempts of tasks, and writes the dead letters of those that are given up. */
public interface Attempts {
  /**
   * Runs one attempt on the calling thread, user code included, and notes its end in the run. Never
   * throws.
   *
   * @param startNanos the present monotonic time
   * @return how it ended
   */
  Outcome run(TaskRun run, long startNanos);

  /** The longest that an attempt of this task may take, in nanoseconds. */
  long timeoutNanos(TaskRun run);

  /**
   * The outcome of an attempt whose handler did not return when its time was up and it was
   * interrupted.
   */
  Outcome.Dead hung(TaskRun run, long nanos);

  /**
   * Told that an attempt which was to be dead-lettered does not count: its partition is gone. Under
   * the engine's lock; must not block for long.
   */
  void dropped(TaskRun run);

  /** Has the dead letter of a task written. Called under the engine's lock; must not block. */
  void deadLetter(TaskRun run, Outcome.Dead why);
}
