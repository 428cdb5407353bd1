// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ZipfTest {
  private static final int DRAWS = 200_000;

  private static double[] shares(int n, double exponent) {
    Zipf zipf = new Zipf(n, exponent);
    SplittableRandom random = new SplittableRandom(1);
    double[] shares = new double[n];
    for (int i = 0; i < DRAWS; i++) {
      shares[zipf.next(random)] += 1.0 / DRAWS;
    }
    return shares;
  }

  @Test
  void drawsTheSecondHalfAsOftenAsTheFirst() {
    double[] shares = shares(100, 1);

    assertThat(shares[1] / shares[0]).isCloseTo(0.5, within(0.02));
    assertThat(shares[3] / shares[0]).isCloseTo(0.25, within(0.02));
    assertThat(shares[99]).isPositive();
  }

  @Test
  void drawsAllEquallyWithExponentZero() {
    for (double share : shares(10, 0)) {
      assertThat(share).isCloseTo(0.1, within(0.01));
    }
  }
}
