// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

import org.jspecify.annotations.Nullable;

/**
 * A setting, a flag or a definition is wrong; the text names it, its value and what is accepted.
 * Commands exit with 2.
 */
public class ConfigException extends SluiceException {
  private static final long serialVersionUID = 1L;

  public ConfigException(String message) {
    super(message);
  }

  public ConfigException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
