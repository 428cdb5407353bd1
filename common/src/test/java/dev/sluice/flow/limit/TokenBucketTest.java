// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenBucketTest {
  private static final long SECOND = 1_000_000_000;

  @Test
  void startsFullAndSaysWhenTheNextTokenComes() {
    TokenBucket bucket = new TokenBucket(5, 2, 0);

    assertThat(bucket.tryAcquire(1, 0)).isZero();
    assertThat(bucket.tryAcquire(1, 0)).isZero();
    assertThat(bucket.tryAcquire(1, 0)).isEqualTo(SECOND / 5);
    assertThat(bucket.tryAcquire(1, SECOND / 5 - 1)).isEqualTo(1);
    assertThat(bucket.tryAcquire(1, SECOND / 5)).isZero();
    assertThat(bucket.tryAcquire(2, SECOND / 5)).isEqualTo(2 * SECOND / 5);
  }

  @Test
  void holdsNoMoreThanItsBurstHoweverLongItIsLeftAlone() {
    TokenBucket bucket = new TokenBucket(1_000_000, 10, 0);

    assertThat(bucket.available(Long.MAX_VALUE)).isEqualTo(10);
  }

  @Test
  void doesNotDriftWhenAskedEveryNanosecond() {
    TokenBucket bucket = new TokenBucket(0.7, 1, 0);
    assertThat(bucket.tryAcquire(1, 0)).isZero();
    long now = 0;
    long seen = 0;
    for (int i = 0; i < 3_000_000; i++) {
      seen += bucket.available(++now);
    }
    assertThat(seen).isZero();

    // 1/0.7 s after the first, whatever was asked in between.
    assertThat(now + bucket.tryAcquire(1, now)).isEqualTo(1_428_571_429);
  }

  @Test
  void loweringTheBurstDestroysTokensAndRaisingItGivesNone() {
    TokenBucket bucket = new TokenBucket(1, 100, 0);
    bucket.configure(1, 3, 0);
    assertThat(bucket.available(0)).isEqualTo(3);
    bucket.configure(1, 100, 0);
    assertThat(bucket.available(0)).isEqualTo(3);
    assertThat(bucket.burst()).isEqualTo(100);
  }

  @Test
  void aClockThatStepsBackAddsNothing() {
    TokenBucket bucket = new TokenBucket(10, 1, SECOND);
    assertThat(bucket.tryAcquire(1, SECOND)).isZero();

    assertThat(bucket.tryAcquire(1, 0)).isEqualTo(SECOND / 10);
    assertThat(bucket.tryAcquire(1, SECOND)).isEqualTo(SECOND / 10);
  }

  @Test
  void givesBackWhatDidNotStart() {
    TokenBucket bucket = new TokenBucket(1, 2, 0);
    assertThat(bucket.tryAcquire(2, 0)).isZero();
    bucket.cancel(1);
    assertThat(bucket.available(0)).isEqualTo(1);
    bucket.cancel(5);
    assertThat(bucket.available(0)).isEqualTo(2);
  }

  @Test
  void refusesNumbersOutsideItsRange() {
    assertThatThrownBy(() -> new TokenBucket(Double.NaN, 1, 0)).hasMessageContaining("NaN");
    assertThatThrownBy(() -> new TokenBucket(0, 1, 0)).hasMessageContaining("0.001");
    assertThatThrownBy(() -> new TokenBucket(1e12, 1, 0)).hasMessageContaining("9000000");
    assertThatThrownBy(() -> new TokenBucket(1, 0, 0)).hasMessageContaining("burst of 0");
    assertThatThrownBy(() -> new TokenBucket(1, 2, 0).tryAcquire(3, 0))
        .hasMessageContaining("3 tokens can never");
  }

  @Test
  void survivesTheLargestNumbers() {
    TokenBucket slow = new TokenBucket(TokenBucket.RATE_MIN, TokenBucket.BURST_MAX, Long.MIN_VALUE);
    assertThat(slow.tryAcquire(TokenBucket.BURST_MAX, Long.MIN_VALUE)).isZero();
    assertThat(slow.tryAcquire(TokenBucket.BURST_MAX, Long.MIN_VALUE)).isPositive();

    TokenBucket fast = new TokenBucket(TokenBucket.RATE_MAX, TokenBucket.BURST_MAX, 0);
    assertThat(fast.tryAcquire(TokenBucket.BURST_MAX, 0)).isZero();
    assertThat(fast.available(SECOND - 1)).isEqualTo(8_999_999);
    assertThat(fast.available(100 * SECOND)).isEqualTo(900_000_000);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void neverAdmitsMoreThanRateTimesWindowPlusBurst(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double rate = Math.max(0.5, Math.round(random.nextDouble() * 5_000_000) / 1_000.0);
    long burst = random.nextLong(1, 50);
    TokenBucket bucket = new TokenBucket(rate, burst, 0);
    Deque<long[]> taken = new ArrayDeque<>();
    long now = 0;
    for (int i = 0; i < 1_000; i++) {
      now += random.nextLong((long) (3 * SECOND / rate) + 1);
      long tokens = random.nextLong(1, burst + 1);
      long wait = bucket.tryAcquire(tokens, now);
      if (wait > 0) {
        if (random.nextBoolean()) {
          now += wait;
          assertThat(bucket.tryAcquire(tokens, now)).as("seed %d: it said when", seed).isZero();
          taken.addLast(new long[] {now, tokens});
        }
      } else {
        taken.addLast(new long[] {now, tokens});
      }
      while (taken.size() > 100) {
        taken.removeFirst();
      }
      // Exactly, in billionths of a token times thousandths: no rounding hides a token.
      long sum = 0;
      for (var it = taken.descendingIterator(); it.hasNext(); ) {
        long[] one = it.next();
        sum += one[1];
        BigInteger most =
            BigInteger.valueOf(Math.round(rate * 1_000))
                .multiply(BigInteger.valueOf(now - one[0]))
                .add(BigInteger.valueOf(burst * 1_000).multiply(BigInteger.valueOf(SECOND)));
        if (BigInteger.valueOf(sum * 1_000).multiply(BigInteger.valueOf(SECOND)).compareTo(most)
            > 0) {
          fail(
              "seed %d: %d tokens from %d to %d ns at %f/s"
                  .formatted(seed, sum, one[0], now, rate));
        }
      }
    }
  }
}
