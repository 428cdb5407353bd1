// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.cli;

import dev.sluice.Effects;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The words of the command line for {@link Effects}. */
final class EffectsConverter implements ITypeConverter<Effects> {
  @Override
  public Effects convert(String word) {
    try {
      return Effects.valueOf(word.toUpperCase(Locale.ROOT).replace('-', '_'));
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(
          "'" + word + "' is not one of at-least-once, transactional");
    }
  }
}
