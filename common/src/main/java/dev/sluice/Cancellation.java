// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

/** What became of the wish to cancel a delayed task. */
public enum Cancellation {
  /** In time: the task does not run. */
  CANCELLED,
  /** The task was due before the wish was read: it runs, or has run. */
  TOO_LATE,
  /** Too many cancelled tasks wait for their time already: the task runs. Ask again later. */
  REFUSED
}
