// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.process;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * Draws numbers from 0 to n - 1, the k-th with a probability in proportion to 1 / (k + 1)^s, by
 * binary search in the table of cumulated probabilities: 8 bytes for each number, log n steps for
 * each draw.
 */
public final class Zipf {
  private final double[] cumulated;

  /**
   * @param n how many numbers, at least 1
   * @param exponent s; 0 makes all equal, 1 is what natural keys look like
   */
  public Zipf(int n, double exponent) {
    cumulated = new double[n];
    double sum = 0;
    for (int k = 0; k < n; k++) {
      sum += 1 / Math.pow(k + 1, exponent);
      cumulated[k] = sum;
    }
    for (int k = 0; k < n; k++) {
      cumulated[k] /= sum;
    }
  }

  /** Draws one. */
  public int next(RandomGenerator random) {
    int at = Arrays.binarySearch(cumulated, random.nextDouble());
    return Math.min(at < 0 ? -at - 1 : at + 1, cumulated.length - 1);
  }
}
