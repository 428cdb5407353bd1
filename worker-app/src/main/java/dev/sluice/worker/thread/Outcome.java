// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.thread;

/** How an attempt ended. */
public sealed interface Outcome {
  /** The handler returned. */
  Outcome SUCCESS = new Success();

  /** The handler was not called: the deadline of the task had passed, which ends it. */
  Outcome EXPIRED = new Expired();

  /** The handler was not called: somebody has cancelled the task, which ends it. */
  Outcome CANCELLED = new Cancelled();

  /** The handler returned. */
  record Success() implements Outcome {}

  /** The task was cancelled. */
  record Cancelled() implements Outcome {}

  /** The deadline of the task had passed. */
  record Expired() implements Outcome {}

  /**
   * The task is to be tried again.
   *
   * @param delayNanos after this long
   * @param attemptUsed whether the attempt counts
   */
  record Retry(long delayNanos, boolean attemptUsed) implements Outcome {}

  /** The task leaves its lane once it is written elsewhere. */
  sealed interface Leaving extends Outcome {}

  /**
   * The task has ended, and something is to be published before it counts: what it has submitted,
   * or what tells its submitter.
   *
   * @param end how it has ended
   */
  record Submits(End end) implements Leaving {
    /** How a task ends that publishes something. */
    public enum End {
      /** Its handler returned. */
      DONE,
      /** It was not run because its deadline had passed. */
      EXPIRED,
      /** It was not run because somebody has cancelled it. */
      CANCELLED,
      /** It was not run because one of its id came before; its batch is to count that. */
      DUPLICATE
    }

    /** Whether its handler was called. */
    public boolean ran() {
      return end == End.DONE;
    }
  }

  /**
   * The task is to wait elsewhere for its next attempt, and to let others pass.
   *
   * @param delayNanos for this long
   * @param attemptUsed whether the attempt counts
   */
  record Later(long delayNanos, boolean attemptUsed) implements Leaving {}

  /**
   * The task is to be dead-lettered.
   *
   * @param why the reason
   * @param failure what the handler threw, or what says that it never returned
   */
  record Dead(String why, Throwable failure) implements Leaving {}
}
