// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

import org.jspecify.annotations.Nullable;

/** The root of every exception that Sluice throws: unchecked, with a text that says what to do. */
public class SluiceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public SluiceException(String message) {
    super(message);
  }

  public SluiceException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
