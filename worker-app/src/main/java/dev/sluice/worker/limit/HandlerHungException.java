// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import dev.sluice.SluiceException;
import org.jspecify.annotations.Nullable;

/** The handler did not return after its interruption; its thread was given up. */
public final class HandlerHungException extends SluiceException {
  private static final long serialVersionUID = 1L;

  /** For one attempt. */
  public HandlerHungException(String message) {
    super(message);
  }

  /** For one attempt, with what the handler threw when it was interrupted. */
  public HandlerHungException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
