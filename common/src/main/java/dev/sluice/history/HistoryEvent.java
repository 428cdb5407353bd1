// SPDX-License-Identifier: Apache-2.0
package dev.sluice.history;

import java.util.Locale;

/** What can happen to a task, as the history files name it in lower case. */
public enum HistoryEvent {
  /** An attempt begins; written before the handler is called. */
  START,
  /** Terminal: the handler returned and its completion counted. */
  DONE,
  /** An attempt ended without ending the task: it will run again, here or elsewhere. */
  FAILED,
  /** Terminal: the dead-letter record was acknowledged. */
  DEAD,
  /** Terminal: the deadline passed before the task ran. */
  EXPIRED,
  /** Terminal: cancelled on request. */
  CANCELLED,
  /** A record was not run: it is a second one of a task, whose own records tell of it. */
  DUPLICATE,
  /** A submit was acknowledged by the broker. */
  ACCEPTED,
  /** A submit was refused; the task was not published. */
  REJECTED,
  /** A submit whose fate is not known. */
  UNKNOWN;

  private final String word = name().toLowerCase(Locale.ROOT);

  /** Whether nothing comes after it: the task has ended. */
  public boolean terminal() {
    return this == DONE || this == DEAD || this == EXPIRED || this == CANCELLED;
  }

  /** The word in the file. */
  public String word() {
    return word;
  }
}
