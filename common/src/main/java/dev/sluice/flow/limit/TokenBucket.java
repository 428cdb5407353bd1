// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.limit;

/**
 * A token bucket: at most {@code rate·w + burst} tokens leave it in any window of w seconds. It
 * computes and never waits; the time is an argument. For one thread at a time.
 *
 * <p>The arithmetic is in whole billionths of a token and carries its remainder, so that a bucket
 * that is asked a million times a second gives exactly what one gives that is asked once a day. A
 * clock that steps back adds nothing.
 *
 * <p>Tokens may be {@link #hold held}: taken, but not yet used. A held token keeps its place in the
 * bucket, so that nothing is earned in its stead; a start that comes late then does not come too
 * close to the next one.
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
  private long heldTokens;

  /** An empty bucket that earns nothing, until it is configured. */
  public static TokenBucket empty(long nowNanos) {
    return new TokenBucket(nowNanos);
  }

  private TokenBucket(long nowNanos) {
    this.lastNanos = nowNanos;
  }

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
    level = Math.min(room(), level + tokens * TOKEN);
  }

  /**
   * Changes the two numbers. What was earned until now was earned at the old rate; tokens above a
   * lower burst are destroyed; a higher burst adds none.
   */
  public void configure(double ratePerSecond, long burst, long nowNanos) {
    set(checkedRate(ratePerSecond), checkedBurst(burst), nowNanos);
  }

  /**
   * Changes the two numbers like {@link #configure}; both may be 0.
   *
   * @param milliRate thousandths of a token per second, 0 to {@link #RATE_MAX} thousand
   * @param burst how many tokens it holds, 0 to {@link #BURST_MAX}
   */
  public void configureExactly(long milliRate, long burst, long nowNanos) {
    if (milliRate < 0 || milliRate > (long) (RATE_MAX * 1_000)) {
      throw new IllegalArgumentException("A rate of " + milliRate + " thousandths per second");
    }
    set(milliRate, burst == 0 ? 0 : checkedBurst(burst), nowNanos);
  }

  private void set(long newRateThousandths, long burst, long nowNanos) {
    refill(nowNanos);
    if (newRateThousandths != rateThousandths) {
      remainder = 0;
    }
    rateThousandths = newRateThousandths;
    levelMax = burst * TOKEN;
    level = Math.min(level, room());
  }

  /** Adds tokens that somebody else gave up; what does not fit is destroyed. */
  public void add(long tokens, long nowNanos) {
    if (tokens < 0 || tokens > BURST_MAX) {
      throw new IllegalArgumentException(tokens + " tokens cannot be added");
    }
    refill(nowNanos);
    level = Math.min(room(), level + tokens * TOKEN);
  }

  /** Destroys all tokens, and begins anew from now. */
  public void drain(long nowNanos) {
    lastNanos = nowNanos;
    level = 0;
    remainder = 0;
  }

  /** Keeps the place of tokens that were taken and are not used yet. */
  public void hold(long tokens) {
    heldTokens += tokens;
  }

  /** Held tokens were used, at that time. */
  public void used(long tokens, long nowNanos) {
    refill(nowNanos);
    heldTokens = Math.max(0, heldTokens - tokens);
  }

  /** Held tokens were not used, and are there again. */
  public void putBack(long tokens) {
    long back = Math.min(tokens, heldTokens);
    heldTokens -= back;
    level = Math.min(room(), level + back * TOKEN);
  }

  /** Thousandths of a token per second. */
  public long milliRate() {
    return rateThousandths;
  }

  /** How many tokens are held. */
  public long held() {
    return heldTokens;
  }

  private long room() {
    return Math.max(0, levelMax - heldTokens * TOKEN);
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
    long missing = room() - level;
    if (missing <= 0 || rateThousandths == 0) {
      remainder = 0;
      return;
    }
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
    level = room();
    remainder = 0;
  }

  private long nanosUntil(long missing) {
    if (rateThousandths == 0) {
      return LONG_TIME_SECONDS * SECOND;
    }
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
