// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by a handler: no further attempt can succeed. The task goes to the dead letters at once.
 */
public class PermanentTaskException extends SluiceException {
  private static final long serialVersionUID = 1L;

  public PermanentTaskException(String message) {
    super(message);
  }

  public PermanentTaskException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
