// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

/** A task had not ended when the time was up that somebody waited for it. It goes on. */
public class ResultTimeoutException extends SluiceException {
  private static final long serialVersionUID = 1L;

  public ResultTimeoutException(String message) {
    super(message);
  }
}
