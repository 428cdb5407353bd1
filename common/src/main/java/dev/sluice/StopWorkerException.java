// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

/**
 * Thrown by a handler that wants its worker to end: it starts nothing more, the other handlers have
 * the hand-over time, what is done is committed, and the process of {@code sluice work} exits 0.
 */
public class StopWorkerException extends SluiceException {
  private static final long serialVersionUID = 1L;

  private final boolean taskIsDone;

  private StopWorkerException(String why, boolean taskIsDone) {
    super(why);
    this.taskIsDone = taskIsDone;
  }

  /** The task of this handler is done. */
  public static StopWorkerException taskDone(String why) {
    return new StopWorkerException(why, true);
  }

  /** The task of this handler goes back, without an attempt used, and runs elsewhere. */
  public static StopWorkerException taskReturned(String why) {
    return new StopWorkerException(why, false);
  }

  /** Whether the task counts as done. */
  public boolean taskIsDone() {
    return taskIsDone;
  }
}
