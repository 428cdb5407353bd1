// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.limit;

/**
 * A token bucket: at most {@code rate·w + burst} tokens leave it in any window of w seconds. It
 * computes and never waits; the time is an argument. For one thread at a time.
 *
 * <p>The arithmetic is in whole billionths of a token and carries its remainder, so that a bucket
 * that is asked a million times a second gives exactly what one gives that is asked once a day. A
 * clock that steps back adds nothing.
 */
public final class TokenBucket {
  /** The slowest rate, in tokens per second. */
  public static final double RATE_MIN = 0.001;

  /** The fastest rate, in tokens per second. */
  public static final double RATE_MAX = 9_000_000;

  /** The largest burst, in tokens. */
  public static final long BURST_MAX = 1_000_000_000;

  private static final long TOKEN = 1_000_000_000;
  private static final long THOUSANDTH = TOKEN / 1_000;
  private static final long SECOND = 1_000_000_000;
  private static final long LONG_TIME_SECONDS = 1_000_000_000;

  private long rateThousandths;
  private long levelMax;
  private long level;
  private long remainder;
  private long lastNanos;

  /**
   * A full bucket.
   *
   * @param ratePerSecond tokens per second, from {@link #RATE_MIN} to {@link #RATE_MAX}; counted to
   *     three decimals
   * @param burst how many tokens it holds, from 1 to {@link #BURST_MAX}
   * @param nowNanos the present monotonic time
   */
  public TokenBucket(double ratePerSecond, long burst, long nowNanos) {
    this.rateThousandths = checkedRate(ratePerSecond);
    this.levelMax = checkedBurst(burst) * TOKEN;
    this.level = levelMax;
    this.lastNanos = nowNanos;
  }

  /**
   * Takes all of the tokens or none.
   *
   * @param tokens how many, from 1 to the burst
   * @param nowNanos the present monotonic time
   * @return 0 when they were taken; else after how many nanoseconds, at least 1, they will be there
   *     if nobody else takes any
   * @throws IllegalArgumentException if that many can never be there
   */
  public long tryAcquire(long tokens, long nowNanos) {
    if (tokens < 1 || tokens > levelMax / TOKEN) {
      throw new IllegalArgumentException(
          tokens + " tokens can never be taken from a bucket of " + levelMax / TOKEN);
    }
    refill(nowNanos);
    long missing = tokens * TOKEN - level;
    if (missing <= 0) {
      level -= tokens * TOKEN;
      return 0;
    }
    return nanosUntil(missing);
  }

  /** Gives back tokens that were taken for something that then did not start. */
  public void cancel(long tokens) {
    if (tokens < 0 || tokens > BURST_MAX) {
      throw new IllegalArgumentException(tokens + " tokens cannot be given back");
    }
    level = Math.min(levelMax, level + tokens * TOKEN);
  }

  /**
   * Changes the two numbers. What was earned until now was earned at the old rate; tokens above a
   * lower burst are destroyed; a higher burst adds none.
   */
  public void configure(double ratePerSecond, long burst, long nowNanos) {
    long newRateThousandths = checkedRate(ratePerSecond);
    long newLevelMax = checkedBurst(burst) * TOKEN;
    refill(nowNanos);
    if (newRateThousandths != rateThousandths) {
      remainder = 0;
    }
    rateThousandths = newRateThousandths;
    levelMax = newLevelMax;
    level = Math.min(level, levelMax);
  }

  /** How many whole tokens are there. */
  public long available(long nowNanos) {
    refill(nowNanos);
    return level / TOKEN;
  }

  /** How many tokens it holds. */
  public long burst() {
    return levelMax / TOKEN;
  }

  private void refill(long nowNanos) {
    long elapsed = nowNanos - lastNanos;
    if (elapsed <= 0) {
      return;
    }
    lastNanos = nowNanos;
    // Seconds and the rest apart: neither product can overflow within the ranges above.
    long missing = levelMax - level;
    long wholeSecondGain = rateThousandths * THOUSANDTH;
    long seconds = elapsed / SECOND;
    if (seconds > missing / wholeSecondGain) {
      fill();
      return;
    }
    long scaled = elapsed % SECOND * rateThousandths + remainder;
    long gained = seconds * wholeSecondGain + scaled / 1_000;
    if (gained >= missing) {
      fill();
    } else {
      level += gained;
      remainder = scaled % 1_000;
    }
  }

  private void fill() {
    level = levelMax;
    remainder = 0;
  }

  private long nanosUntil(long missing) {
    long wholeSecondGain = rateThousandths * THOUSANDTH;
    long seconds = Math.min(LONG_TIME_SECONDS, missing / wholeSecondGain);
    long scaled = missing % wholeSecondGain * 1_000 - remainder;
    return Math.max(
        1, seconds * SECOND + Math.floorDiv(scaled + rateThousandths - 1, rateThousandths));
  }

  private static long checkedRate(double ratePerSecond) {
    // Written so that NaN fails too.
    if (!(ratePerSecond >= RATE_MIN && ratePerSecond <= RATE_MAX)) {
      throw new IllegalArgumentException(
          "A rate of "
              + ratePerSecond
              + " per second is outside of "
              + RATE_MIN
              + " to "
              + (long) RATE_MAX);
    }
    return Math.round(ratePerSecond * 1_000);
  }

  private static long checkedBurst(long burst) {
    if (burst < 1 || burst > BURST_MAX) {
      throw new IllegalArgumentException(
          "A burst of " + burst + " is outside of 1 to " + BURST_MAX);
    }
    return burst;
  }
}
