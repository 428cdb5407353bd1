// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import dev.sluice.SluiceException;
import org.jspecify.annotations.Nullable;

/** The handler ran past its time-out and was interrupted. */
public final class HandlerTimeoutException extends SluiceException {
  private static final long serialVersionUID = 1L;

  /** For one attempt. */
  public HandlerTimeoutException(String message) {
    super(message);
  }

  /** For one attempt, with what the handler threw when it was interrupted. */
  public HandlerTimeoutException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
