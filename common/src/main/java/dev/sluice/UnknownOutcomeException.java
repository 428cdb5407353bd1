// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

import org.jspecify.annotations.Nullable;

/**
 * A submit whose fate is not known: the record may or may not be in the log. It is neither accepted
 * nor refused, and a caller that submits the task again should do so under the same id.
 */
public class UnknownOutcomeException extends SluiceException {
  private static final long serialVersionUID = 1L;

  public UnknownOutcomeException(String message) {
    super(message);
  }

  public UnknownOutcomeException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
