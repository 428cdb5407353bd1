// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.gate;

/** What the gate says to a task that wants to enter. */
public sealed interface Admission {
  /** The one instance of {@link Admitted}. */
  Admission ADMITTED = new Admitted();

  /** The task is in, and holds its room until it is released. */
  record Admitted() implements Admission {}

  /**
   * Not now.
   *
   * @param nanos after how long asking again is worth it, at least 1; {@link #UNTIL_RELEASE} where
   *     only a release can help
   * @param reason what is missing
   */
  record WaitNanos(long nanos, Shortage reason) implements Admission {
    /** The time of a wait that only a release ends. */
    public static final long UNTIL_RELEASE = Long.MAX_VALUE;

    public WaitNanos {
      if (nanos < 1) {
        throw new IllegalArgumentException("A wait of " + nanos + " ns is none");
      }
    }
  }

  /**
   * Never, however long it waits.
   *
   * @param reason why
   */
  record Refused(Refusal reason) implements Admission {}

  /** What a waiting task waits for. */
  enum Shortage {
    /** As many tasks as may be are in flight. */
    TASKS_FULL,
    /** As many bytes as may be are in flight. */
    BYTES_FULL,
    /** The token bucket is empty. */
    RATE_LIMITED
  }

  /** Why a task can never enter. */
  enum Refusal {
    /** It alone is larger than the bytes that may be in flight. */
    TOO_LARGE,
    /** The gate was closed. */
    CLOSED
  }
}
