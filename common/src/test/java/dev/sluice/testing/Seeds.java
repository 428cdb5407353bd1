// SPDX-License-Identifier: Apache-2.0
package dev.sluice.testing;

import java.security.SecureRandom;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Runs a property with many seeds. A failure begins with its seed; {@code -Dsluice.seed=N} runs
 * that one alone.
 */
public final class Seeds {
  private static final String PROPERTY = "sluice.seed";

  private Seeds() {}

  /** What has to hold for the numbers of one generator. */
  @FunctionalInterface
  public interface Property {
    void check(RandomGenerator random) throws Exception;
  }

  /**
   * Checks a property, each time with another seed.
   *
   * @param runs how often
   * @throws AssertionError with the seed, and what failed as its cause
   */
  public static void check(int runs, Property property) {
    Long only = Long.getLong(PROPERTY);
    if (only != null) {
      run(only, property);
      return;
    }
    SplittableRandom seeds = new SplittableRandom(new SecureRandom().nextLong());
    for (int i = 0; i < runs; i++) {
      run(seeds.nextLong(), property);
    }
  }

  private static void run(long seed, Property property) {
    try {
      property.check(new SplittableRandom(seed));
    } catch (Throwable failure) {
      throw new AssertionError(
          "seed " + seed + " (again with -D" + PROPERTY + "=" + seed + "): " + failure, failure);
    }
  }

  /** A text of up to {@code longest} characters from all planes of Unicode, no half pairs. */
  public static String text(RandomGenerator random, int longest) {
    int length = random.nextInt(longest + 1);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      int codePoint =
          switch (random.nextInt(4)) {
            case 0 -> random.nextInt(0x20);
            case 1 -> random.nextInt(0x10000, 0x110000);
            case 2 -> random.nextInt(0xA0, 0xD800);
            default -> random.nextInt(0x20, 0x7F);
          };
      text.appendCodePoint(codePoint);
    }
    return text.toString();
  }

  /** Up to {@code longest} bytes. */
  public static byte[] bytes(RandomGenerator random, int longest) {
    byte[] bytes = new byte[random.nextInt(longest + 1)];
    random.nextBytes(bytes);
    return bytes;
  }
}
