// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import dev.sluice.history.HistoryEvent;
import org.jspecify.annotations.Nullable;

/** How one run of a task ended. */
enum Ending {
  /** No record of an end: the process was killed, or is still at it. */
  OPEN,
  DONE,
  DEAD,
  EXPIRED,
  CANCELLED,
  /** The attempt failed and another one was asked for. */
  FAILED,
  /** Cut off by a hand-over or a stop; another worker runs it again. */
  INTERRUPTED,
  /** Finished after its partition was lost; the result was dropped. */
  STALE;

  private static final Ending[] ALL = values();

  static Ending of(HistoryEvent event, @Nullable String error) {
    return switch (event) {
      case DONE -> DONE;
      case DEAD -> DEAD;
      case EXPIRED -> EXPIRED;
      case CANCELLED -> CANCELLED;
      case FAILED -> ofFailure(error);
      default -> throw new IllegalArgumentException(event + " ends no run");
    };
  }

  private static Ending ofFailure(@Nullable String error) {
    if ("STALE".equals(error)) {
      return STALE;
    }
    return "INTERRUPTED".equals(error) ? INTERRUPTED : FAILED;
  }

  static Ending of(byte ordinal) {
    return ALL[ordinal];
  }

  /** Whether the task itself is over. */
  boolean terminal() {
    return this == DONE || this == DEAD || this == EXPIRED || this == CANCELLED;
  }

  /** Whether the result was fenced off, so that the run may outlast its assignment. */
  boolean fenced() {
    return this == INTERRUPTED || this == STALE;
  }
}
