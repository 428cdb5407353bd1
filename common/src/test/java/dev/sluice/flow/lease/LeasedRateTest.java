// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.lease;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.share.Share;
import dev.sluice.testing.Seeds;
import org.junit.jupiter.api.Test;

class LeasedRateTest {
  private static final long MILLI = 1_000_000L;
  private static final long SECOND = 1_000 * MILLI;
  private final LeasedRate rate = new LeasedRate(0);

  private long take(long now) {
    long wait = rate.tryAcquire(now);
    if (wait == 0) {
      rate.begun(now);
    }
    return wait;
  }

  @Test
  void withoutALeaseNothingStarts() {
    assertThat(take(0)).isEqualTo(LeasedRate.UNTIL_GRANT);
  }

  @Test
  void itBeginsEmptyEarnsAtItsRateAndEndsWithItsLease() {
    rate.apply(new Share(10_000, 5), 0, 0, 0, 5 * SECOND, 0);
    assertThat(take(0)).isEqualTo(100 * MILLI);
    assertThat(take(100 * MILLI)).isZero();
    assertThat(take(5 * SECOND)).isEqualTo(LeasedRate.UNTIL_GRANT);
    assertThat(rate.share(5 * SECOND)).isEqualTo(Share.NONE);
    rate.apply(new Share(10_000, 5), 0, 0, 0, 20 * SECOND, 10 * SECOND);
    assertThat(take(10 * SECOND)).as("what it had before is gone").isEqualTo(100 * MILLI);
  }

  @Test
  void tokensComeOnlyWithAGrantThatSaysSo() {
    rate.apply(new Share(1_000, 3), 3, 0, 0, 5 * SECOND, 0);
    assertThat(take(0)).isZero();
    rate.apply(new Share(1_000, 2), 0, 0, 0, 5 * SECOND, 0);
    assertThat(take(0)).isZero();
    assertThat(take(0)).isZero();
    rate.apply(new Share(1_000, 50), 0, 0, 0, 5 * SECOND, 0);
    assertThat(take(0)).as("a higher burst adds none").isPositive();
  }

  @Test
  void aTokenThatIsNotUsedYetKeepsItsPlace() {
    rate.apply(new Share(10_000, 1), 1, 0, 0, 50 * SECOND, 0);
    assertThat(rate.tryAcquire(0)).isZero();
    assertThat(rate.tryAcquire(SECOND)).as("nothing was earned").isPositive();
    rate.begun(SECOND);
    assertThat(rate.tryAcquire(SECOND + 99 * MILLI)).isPositive();
    assertThat(rate.tryAcquire(SECOND + 100 * MILLI)).isZero();
    rate.cancel(SECOND + 200 * MILLI);
    assertThat(rate.tryAcquire(SECOND + 200 * MILLI)).as("it was put back").isZero();
  }

  @Test
  void aTurnEndsWithItsStartsAndTheSameTurnAgainGivesNoMore() {
    rate.apply(new Share(1_000_000, 10), 10, 7, 2, 5 * SECOND, 0);
    assertThat(take(0)).isZero();
    rate.apply(new Share(1_000_000, 10), 0, 7, 2, 5 * SECOND, 0);
    assertThat(take(0)).isZero();
    assertThat(rate.turnOver()).isTrue();
    assertThat(take(0)).isEqualTo(LeasedRate.UNTIL_GRANT);
    rate.apply(new Share(1_000_000, 10), 0, 8, 2, 5 * SECOND, 0);
    assertThat(rate.turnOver()).isFalse();
  }

  @Test
  void noWindowOfStartsIsAboveBurstAndRateWhateverHappens() {
    Seeds.each(
        200,
        random -> {
          LeasedRate bucket = new LeasedRate(0);
          long milliRate = 1_000 + random.nextInt(100_000);
          long burst = 1 + random.nextInt(20);
          double level = burst;
          long last = 0;
          long now = 0;
          long pending = 0;
          for (int step = 0; step < 400; step++) {
            now += random.nextInt((int) (200 * MILLI));
            switch (random.nextInt(6)) {
              case 0 -> {
                long rate = random.nextInt((int) milliRate + 1);
                long units = random.nextInt((int) burst + 1);
                bucket.apply(
                    new Share(rate, units), 0, 0, 0, now + random.nextLong(6 * SECOND), now);
              }
              case 1 -> bucket.lower(new Share(milliRate / 2, burst / 2), now);
              case 2 -> {
                if (pending > 0) {
                  bucket.cancel(now);
                  pending--;
                }
              }
              default -> {
                if (pending == 0 && bucket.tryAcquire(now) == 0) {
                  pending++;
                }
                if (pending > 0 && random.nextBoolean()) {
                  level = Math.min(burst, level + (now - last) / 1e9 * milliRate / 1_000) - 1;
                  last = now;
                  bucket.begun(now);
                  pending--;
                  assertThat(level).isGreaterThan(-1e-6);
                }
              }
            }
          }
        });
  }
}
