// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.process;

import dev.sluice.SluiceException;
import org.jspecify.annotations.Nullable;

/** Something around a system test did not work: a process did not start, end or answer. */
public final class HarnessException extends SluiceException {
  private static final long serialVersionUID = 1L;

  /** With what happened, and the cause where there is one. */
  public HarnessException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
