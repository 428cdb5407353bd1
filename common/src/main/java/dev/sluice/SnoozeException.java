// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

import java.time.Duration;

/**
 * Thrown by a handler that wants to see the task again later: what it needs is not there yet, and
 * nothing has failed. No attempt is used up, no circuit breaker counts it, and other tasks go on
 * meanwhile. The task keeps its place in its lane and, with order by key, holds the later tasks of
 * its key; where its queue has {@link OnRetry#LET_PASS}, it leaves its place if the delay is a
 * second or longer.
 */
public class SnoozeException extends SluiceException {
  private static final long serialVersionUID = 1L;
  private static final Duration LEAST = Duration.ofMillis(1);
  private static final Duration LONGEST = Duration.ofHours(1);

  private final Duration delay;

  /**
   * @param message what it waits for
   * @param delay after this long; from 1 ms to 1 h, values outside are clamped
   */
  public SnoozeException(String message, Duration delay) {
    super(message);
    Duration least = delay.compareTo(LEAST) < 0 ? LEAST : delay;
    this.delay = least.compareTo(LONGEST) > 0 ? LONGEST : least;
  }

  /** When the task is to come again, from when the handler has returned. */
  public Duration delay() {
    return delay;
  }
}
