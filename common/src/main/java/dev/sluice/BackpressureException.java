// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

import java.time.Duration;

/**
 * Thrown by a handler whose downstream asks for less: the task goes back without having used up an
 * attempt, and its handler is held for {@link #retryAfter()}.
 */
public class BackpressureException extends SluiceException {
  private static final long serialVersionUID = 1L;

  private final Duration retryAfter;

  /**
   * @param message what the downstream said
   * @param retryAfter how long the handler is held; from 1 ms to 1 h, values outside are clamped
   */
  public BackpressureException(String message, Duration retryAfter) {
    super(message);
    Duration floor = Duration.ofMillis(1);
    Duration ceiling = Duration.ofHours(1);
    this.retryAfter =
        retryAfter.compareTo(floor) < 0
            ? floor
            : retryAfter.compareTo(ceiling) > 0 ? ceiling : retryAfter;
  }

  /** How long the downstream wants to be left alone. */
  public Duration retryAfter() {
    return retryAfter;
  }
}
