// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

import org.jspecify.annotations.Nullable;

/** Thrown by a handler: this attempt failed and another one may succeed. The attempt counts. */
public class RetriableTaskException extends SluiceException {
  private static final long serialVersionUID = 1L;

  public RetriableTaskException(String message) {
    super(message);
  }

  public RetriableTaskException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
