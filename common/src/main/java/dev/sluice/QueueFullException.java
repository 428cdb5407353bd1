// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

import java.time.Duration;

/** A submit was refused because there was no room in time. The task was not published. */
public class QueueFullException extends SluiceException {
  private static final long serialVersionUID = 1L;

  private final Duration retryAfter;

  public QueueFullException(String message, Duration retryAfter) {
    super(message);
    this.retryAfter = retryAfter;
  }

  /** An estimate of when there is room again; never negative. */
  public Duration retryAfter() {
    return retryAfter;
  }
}
