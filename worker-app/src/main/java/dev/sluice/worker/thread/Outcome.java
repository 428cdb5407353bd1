// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.thread;

/** How an attempt ended. */
public sealed interface Outcome {
  /** The handler returned. */
  Outcome SUCCESS = new Success();

  /** The handler was not called: the deadline of the task had passed, which ends it. */
  Outcome EXPIRED = new Expired();

  /** The handler returned. */
  record Success() implements Outcome {}

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

  /** The handler returned, and has submitted tasks that are to be published before it is done. */
  record Submits() implements Leaving {}

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
