// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import dev.sluice.Cancellation;
import java.util.Optional;

/**
 * Somebody wants a task not to run. Immutable.
 *
 * @param id of the task; 1 to 500 characters
 * @param state how far that has come
 * @param by who asked, or the worker that has answered
 * @param expiresMillis until when a task of that id is not run, in epoch milliseconds
 */
public record CancelWish(String id, State state, String by, long expiresMillis) {
  /** The most wishes that are known at once; those that come on top are not heard. */
  public static final int MOST = 2_000;

  /** For how long a task of that id is not run, in milliseconds. */
  public static final long LASTS_MILLIS = 24 * 3_600_000L;

  private static final int ID_CHARS_MAX = 500;

  /** How far it has come. */
  public enum State {
    /** Nobody has seen the task since. */
    ASKED,
    /** It waits at a worker, or has waited, and does not run. */
    CANCELLED,
    /** It is with its handler, which was told. */
    TOLD,
    /** Its handler is through with it. */
    TOO_LATE
  }

  public CancelWish {
    if (id.isEmpty() || id.length() > ID_CHARS_MAX || expiresMillis <= 0) {
      throw new IllegalArgumentException(
          "A task to be cancelled has an id of 1 to " + ID_CHARS_MAX + " characters");
    }
  }

  /** A wish of that moment. */
  public static CancelWish of(String id, String by, long nowMillis) {
    return new CancelWish(id, State.ASKED, by, nowMillis + LASTS_MILLIS);
  }

  /** The same, answered. */
  public CancelWish answered(State answer, String worker) {
    return new CancelWish(id, answer, worker, expiresMillis);
  }

  /** What whoever asked is told; empty while nobody has seen the task. */
  public Optional<Cancellation> answer() {
    return switch (state) {
      case ASKED -> Optional.empty();
      case CANCELLED -> Optional.of(Cancellation.CANCELLED);
      case TOLD -> Optional.of(Cancellation.TOLD);
      case TOO_LATE -> Optional.of(Cancellation.TOO_LATE);
    };
  }

  /** Whether it still holds. */
  public boolean holds(long nowMillis) {
    return nowMillis < expiresMillis;
  }
}
