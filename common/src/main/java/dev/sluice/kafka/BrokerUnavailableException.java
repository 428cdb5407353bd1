// SPDX-License-Identifier: Apache-2.0
package dev.sluice.kafka;

import dev.sluice.SluiceException;
import org.jspecify.annotations.Nullable;

/** No broker answered in time. Commands exit with 69. */
public class BrokerUnavailableException extends SluiceException {
  private static final long serialVersionUID = 1L;

  /** With a text that names the brokers. */
  public BrokerUnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
