// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.delay;

import java.util.List;

/**
 * The fixed lengths that a delay is made of. Each is at most twice the one below it, so a delay
 * that always takes the longest that fits waits in each level at most once, in the longest as often
 * as its length fits, and in the shortest once more for what is left: the bound on its hops is
 * {@link #hopsMax}.
 */
public final class DelayLevels {
  private static final long SECOND = 1_000;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;

  /** A length and its name in topics. */
  private record Level(String name, long millis) {}

  private static final List<Level> LEVELS =
      List.of(
          new Level("125ms", 125),
          new Level("250ms", 250),
          new Level("500ms", 500),
          new Level("1s", SECOND),
          new Level("2s", 2 * SECOND),
          new Level("4s", 4 * SECOND),
          new Level("8s", 8 * SECOND),
          new Level("15s", 15 * SECOND),
          new Level("30s", 30 * SECOND),
          new Level("1m", MINUTE),
          new Level("2m", 2 * MINUTE),
          new Level("4m", 4 * MINUTE),
          new Level("8m", 8 * MINUTE),
          new Level("15m", 15 * MINUTE),
          new Level("30m", 30 * MINUTE),
          new Level("1h", HOUR),
          new Level("2h", 2 * HOUR),
          new Level("4h", 4 * HOUR),
          new Level("8h", 8 * HOUR),
          new Level("16h", 16 * HOUR),
          new Level("1d", DAY),
          new Level("2d", 2 * DAY),
          new Level("4d", 4 * DAY),
          new Level("8d", 8 * DAY),
          new Level("16d", 16 * DAY));

  private DelayLevels() {}

  /** How many there are, numbered from 0, the shortest. */
  public static int count() {
    return LEVELS.size();
  }

  /** How long a level holds what enters it. */
  public static long millis(int level) {
    return LEVELS.get(level).millis();
  }

  /** What a level is called, as {@code 15s}. */
  public static String name(int level) {
    return LEVELS.get(level).name();
  }

  /**
   * The level for a delay: the longest that is over before the delay is, or the shortest where none
   * is.
   */
  public static int of(long remainingMillis) {
    int level = LEVELS.size() - 1;
    while (level > 0 && LEVELS.get(level).millis() > remainingMillis) {
      level--;
    }
    return level;
  }

  /** The most levels that a delay passes through, one after the other. */
  public static int hopsMax(long delayMillis) {
    if (delayMillis <= LEVELS.get(0).millis()) {
      return delayMillis <= 0 ? 0 : 1;
    }
    int top = of(delayMillis);
    long inTop = delayMillis / LEVELS.get(top).millis();
    // And once more in the shortest, for what is left at the end.
    return (int) Math.min(Integer.MAX_VALUE, inTop + top + 1);
  }
}
