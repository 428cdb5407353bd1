// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import dev.sluice.ConfigException;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations and sizes as people write them. */
public final class Quantities {
  private static final Pattern AMOUNT = Pattern.compile("(\\d{1,15})\\s*([A-Za-z]*)");

  private Quantities() {}

  /**
   * A duration: {@code 500ms}, {@code 10s}, {@code 5m}, {@code 1h}, {@code 1d}, or ISO-8601.
   *
   * @throws ConfigException if it is none
   */
  public static Duration duration(String text) {
    Matcher matcher = AMOUNT.matcher(text.trim());
    try {
      if (matcher.matches()) {
        long amount = Long.parseLong(matcher.group(1));
        switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
          case "ms":
            return Duration.ofMillis(amount);
          case "s":
            return Duration.ofSeconds(amount);
          case "m":
            return Duration.ofMinutes(amount);
          case "h":
            return Duration.ofHours(amount);
          case "d":
            return Duration.ofDays(amount);
          default:
            break;
        }
      } else {
        return Duration.parse(text.trim());
      }
    } catch (DateTimeParseException | ArithmeticException e) {
      // Said below.
    }
    throw new ConfigException(
        "'" + text + "' is no duration; write for example 500ms, 10s, 5m, 1h or 1d");
  }

  /**
   * A number of bytes: {@code 1048576}, {@code 64KiB}, {@code 64MiB}, {@code 1GiB}, {@code 64MB}.
   *
   * @throws ConfigException if it is none
   */
  public static long bytes(String text) {
    Matcher matcher = AMOUNT.matcher(text.trim());
    if (matcher.matches()) {
      long factor =
          switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
            case "", "b" -> 1;
            case "kib", "k" -> 1L << 10;
            case "mib", "m" -> 1L << 20;
            case "gib", "g" -> 1L << 30;
            case "kb" -> 1_000;
            case "mb" -> 1_000_000;
            case "gb" -> 1_000_000_000;
            default -> 0;
          };
      if (factor > 0) {
        try {
          return Math.multiplyExact(Long.parseLong(matcher.group(1)), factor);
        } catch (ArithmeticException e) {
          // Said below.
        }
      }
    }
    throw new ConfigException(
        "'" + text + "' is no number of bytes; write for example 65536, 64KiB, 64MiB or 1GiB");
  }
}
