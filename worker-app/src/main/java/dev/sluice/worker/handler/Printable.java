// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Text of foreign records, made harmless where it leaves the process: ids, types and keys may hold
 * anything, line ends and zero bytes included.
 */
final class Printable {
  private static final int CHARS_MAX = 1024;

  private Printable() {}

  /** At most 1,024 characters, with {@code ?} for each control character; empty for null. */
  static String text(@Nullable String text) {
    if (text == null) {
      return "";
    }
    int length = Math.min(text.length(), CHARS_MAX);
    StringBuilder safe = new StringBuilder(length);
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      safe.append(Character.isISOControl(c) ? '?' : c);
    }
    return safe.toString();
  }

  /**
   * The value of an HTTP header, encoded as the HTTP binding of CloudEvents 1.0 (3.1.3.2) says:
   * what is no printable ASCII, blanks, quotes and percent signs as {@code %XX} of their UTF-8
   * bytes. Different texts stay different.
   */
  static String header(String text) {
    StringBuilder encoded = new StringBuilder(text.length());
    for (byte b : text.getBytes(UTF_8)) {
      if (b > 0x20 && b < 0x7f && b != '"' && b != '%') {
        encoded.append((char) b);
      } else {
        encoded.append(String.format(Locale.ROOT, "%%%02X", b & 0xff));
      }
    }
    return encoded.toString();
  }
}
