// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import dev.sluice.SluiceException;
import org.jspecify.annotations.Nullable;

/** A history file holds a line that no process of Sluice writes; nothing can be judged from it. */
public final class HistoryFormatException extends SluiceException {
  private static final long serialVersionUID = 1L;

  /** With the text of the error and, where there is one, its cause. */
  public HistoryFormatException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
