// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import org.jspecify.annotations.Nullable;

/** A local broker did not start or did not answer. */
public class LocalKafkaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With a text that says what to do. */
  public LocalKafkaException(String message) {
    super(message);
  }

  /** With a text that says what to do, and the cause. */
  public LocalKafkaException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
