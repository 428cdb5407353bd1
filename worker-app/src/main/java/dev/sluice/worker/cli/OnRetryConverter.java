// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.cli;

import dev.sluice.OnRetry;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The words of the command line for {@link OnRetry}. */
final class OnRetryConverter implements ITypeConverter<OnRetry> {
  @Override
  public OnRetry convert(String word) {
    try {
      return OnRetry.valueOf(word.toUpperCase(Locale.ROOT).replace('-', '_'));
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException("'" + word + "' is not one of hold-key, let-pass");
    }
  }
}
