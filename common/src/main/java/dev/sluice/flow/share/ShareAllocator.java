// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.share;

import java.util.Arrays;
import java.util.Comparator;

/**
 * Weighted max-min fairness by water filling: nobody gets more than it demands, and nobody's share
 * can grow without taking from one that has less of it per weight [1]. What is left when all
 * demands are met stays free.
 *
 * <p>In whole units. The sum of the shares never exceeds the capacity. Demands of the same size and
 * weight get shares that differ by one unit at most; who gets that unit is decided by the order of
 * the arguments, so that a caller who turns that order shares it over time. O(n log n).
 *
 * <p>[1] Demers, Keshav, Shenker: Analysis and Simulation of a Fair Queueing Algorithm, 1989.
 */
public final class ShareAllocator {
  private static final double UNIT = 1.0;

  private ShareAllocator() {}

  /** Shares of equal weight. */
  public static long[] allocate(long capacity, long[] demands) {
    double[] weights = new double[demands.length];
    Arrays.fill(weights, UNIT);
    return allocate(capacity, demands, weights);
  }

  /**
   * Divides a capacity.
   *
   * @param capacity units to divide, 0 or more
   * @param demands units that each one could use, 0 or more
   * @param weights how much each one counts, more than 0; one per demand
   * @return the share of each one, at most its demand
   */
  public static long[] allocate(long capacity, long[] demands, double[] weights) {
    check(capacity, demands, weights);
    long[] shares = new long[demands.length];
    Integer[] byNeed = new Integer[demands.length];
    double weightLeft = 0;
    for (int i = 0; i < demands.length; i++) {
      byNeed[i] = i;
      weightLeft += demands[i] > 0 ? weights[i] : 0;
    }
    Arrays.sort(byNeed, Comparator.comparingDouble((Integer i) -> demands[i] / weights[i]));
    long left = capacity;
    for (int i : byNeed) {
      if (demands[i] == 0) {
        continue;
      }
      // Those that follow need more per weight, so this is the lowest level they can have.
      double level = left / weightLeft;
      long fair = Math.min(left, (long) (level * weights[i]));
      shares[i] = Math.min(demands[i], fair);
      left -= shares[i];
      weightLeft -= weights[i];
    }
    handOutRest(left, demands, shares);
    return shares;
  }

  /** What rounding down has left, a unit each. */
  private static void handOutRest(long rest, long[] demands, long[] shares) {
    long left = rest;
    boolean given = true;
    while (left > 0 && given) {
      given = false;
      for (int i = 0; i < demands.length && left > 0; i++) {
        if (shares[i] < demands[i]) {
          // More than a round is left only by rounding of very large numbers.
          long more = Math.min(demands[i] - shares[i], Math.max(1, left / demands.length));
          shares[i] += more;
          left -= more;
          given = true;
        }
      }
    }
  }

  private static void check(long capacity, long[] demands, double[] weights) {
    if (capacity < 0 || demands.length != weights.length) {
      throw new IllegalArgumentException(
          "A capacity of "
              + capacity
              + " for "
              + demands.length
              + " demands with "
              + weights.length
              + " weights");
    }
    for (int i = 0; i < demands.length; i++) {
      if (demands[i] < 0 || !(weights[i] > 0)) {
        throw new IllegalArgumentException(
            "A demand of " + demands[i] + " with weight " + weights[i]);
      }
    }
  }
}
