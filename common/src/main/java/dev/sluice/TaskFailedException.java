// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

/** A task whose result was waited for did not end by its handler. */
public class TaskFailedException extends SluiceException {
  private static final long serialVersionUID = 1L;

  private final transient TaskResult result;

  public TaskFailedException(TaskResult result) {
    super(text(result));
    this.result = result;
  }

  private static String text(TaskResult result) {
    String task = "Task " + result.id();
    return switch (result.outcome()) {
      case DONE -> task + " is done";
      case EXPIRED -> task + " expired: its deadline passed before it was run";
      case CANCELLED -> task + " was cancelled before it was run";
      case DEAD ->
          task
              + " failed after "
              + result.attempts()
              + (result.attempts() == 1 ? " attempt: " : " attempts: ")
              + result.errorType()
              + ": "
              + result.errorMessage();
    };
  }

  /** How the task ended: type and message of what its handler threw, and how many attempts. */
  public TaskResult result() {
    return result;
  }
}
