// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/** The {@code Retry-After} header of HTTP: seconds, or a date. */
final class RetryAfter {
  /** Where a server says nothing, or nothing that can be read. */
  static final Duration DEFAULT = Duration.ofSeconds(1);

  /** A server that says "now", or whose clock is behind, is not asked in a tight loop. */
  static final Duration LEAST = Duration.ofMillis(100);

  static final Duration MOST = Duration.ofHours(1);

  private static final int DIGITS_MAX = 18;

  private RetryAfter() {}

  /** How long to wait, from 100 ms to 1 h. */
  static Duration parse(@Nullable String header, long nowEpochMillis) {
    if (header == null) {
      return DEFAULT;
    }
    String text = header.trim();
    if (!text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return text.length() > DIGITS_MAX ? MOST : clamp(Duration.ofSeconds(Long.parseLong(text)));
    }
    try {
      Instant at = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      return clamp(Duration.between(Instant.ofEpochMilli(nowEpochMillis), at));
    } catch (DateTimeException | ArithmeticException e) {
      return DEFAULT;
    }
  }

  private static Duration clamp(Duration wait) {
    if (wait.compareTo(LEAST) < 0) {
      return LEAST;
    }
    return wait.compareTo(MOST) > 0 ? MOST : wait;
  }
}
