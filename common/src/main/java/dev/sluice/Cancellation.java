// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

/** What became of the wish to cancel a task. */
public enum Cancellation {
  /** In time: the task does not run. */
  CANCELLED,
  /** The delayed task was due before the wish was read, or the handler was through with it. */
  TOO_LATE,
  /** The task was with its handler, which was told: {@code context.cancelled()} is true for it. */
  TOLD,
  /**
   * No worker has the task at hand. If it is still in its queue, it does not run: the wish holds
   * for a day. If it has ended, or never was, nothing happens.
   */
  NOT_SEEN,
  /** Too many cancelled tasks wait for their time already: the task runs. Ask again later. */
  REFUSED
}
