// SPDX-License-Identifier: Apache-2.0
package dev.sluice.testing;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Runs a test once per seed, so that a failure can be run again: its text begins with the seed, and
 * {@code -Dsluice.seed=17} runs that seed alone.
 */
public final class Seeds {
  /** The property that names the one seed to run. */
  public static final String PROPERTY = "sluice.seed";

  /** What is run with each seed. */
  @FunctionalInterface
  public interface Body {
    /** Runs once; all chance in it comes from {@code random}. */
    void run(RandomGenerator random) throws Exception;
  }

  private Seeds() {}

  /**
   * Runs the body with the seeds from 1 to {@code count}, or with the one that the property names.
   *
   * @throws AssertionError at the first seed that fails, which it names first
   */
  public static void each(int count, Body body) {
    Long only = Long.getLong(PROPERTY);
    if (only != null) {
      run(only, body);
      return;
    }
    for (long seed = 1; seed <= count; seed++) {
      run(seed, body);
    }
  }

  /** Whether all seeds are run, and not one that somebody named. */
  public static boolean all() {
    return Long.getLong(PROPERTY) == null;
  }

  private static void run(long seed, Body body) {
    try {
      body.run(new SplittableRandom(seed));
    } catch (Throwable e) {
      throw new AssertionError(
          "Seed " + seed + " (run it alone with -D" + PROPERTY + "=" + seed + "): " + e, e);
    }
  }
}
