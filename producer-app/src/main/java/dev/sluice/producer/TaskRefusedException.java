// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.SluiceException;
import org.jspecify.annotations.Nullable;

/** A submit was refused for good reason: the task was not published and never starts. */
public class TaskRefusedException extends SluiceException {
  private static final long serialVersionUID = 1L;

  /** Why a task was refused. */
  public enum Reason {
    /** The producer is closed or closing. */
    CLOSED,
    /** The queue is sealed: its workers finish what is there, and nothing comes in. */
    SEALED,
    /** The task is larger than the producer or the broker takes. */
    TOO_LARGE,
    /** The payload cannot be encoded, or the broker finds the record invalid. */
    INVALID,
    /** The principal may not write to the topic. */
    NOT_AUTHORIZED,
    /** The topic does not exist and is not created by writing to it, or its name is not valid. */
    NO_TOPIC,
    /** No broker answered in time; the task had not been handed to any. */
    NO_BROKER,
    /** The thread was interrupted while it waited for room; it stays interrupted. */
    INTERRUPTED,
    /** The call would have to wait on the thread that it waits for. */
    WOULD_DEADLOCK
  }

  private final Reason reason;

  public TaskRefusedException(Reason reason, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  /** Why. */
  public Reason reason() {
    return reason;
  }
}
