// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.share;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Divides one rate limit. The rate is split by demand; the burst with it, so that each bucket holds
 * as much time's worth. A small part stays free, so that a newcomer gets something before others
 * have lowered themselves. Where the limit is too small to be split, it goes round in turns. Not
 * thread-safe.
 */
public final class RateSharing {
  private static final double RESERVE = 0.02;
  private static final long TURN_NANOS = 2_500_000_000L;
  private static final long LONGEST_TURN_FACTOR = 2;
  private static final long SECOND = 1_000_000_000L;
  private static final long LONGEST_NANOS = 3_600 * SECOND;

  private final Turns turns = new Turns();

  /**
   * Decides what each holder should have.
   *
   * @param limit of all together
   * @param demands of all known holders
   * @param leaseNanos the length of a lease
   * @return what each holder that should have something should have
   */
  public Map<String, Target> plan(
      Share limit, List<Demand> demands, long leaseNanos, long nowNanos) {
    int active = (int) demands.stream().filter(d -> d.amount() > 0).count();
    if (active == 0 || limit.units() == 0) {
      turns.end();
      return Map.of();
    }
    double startsPerLease = limit.milliRate() / 1_000.0 * (leaseNanos / (double) SECOND);
    if (limit.units() >= 2L * active && startsPerLease >= 10.0 * active) {
      turns.end();
      return split(limit, demands, active);
    }
    return goRound(limit, demands, active, startsPerLease, nowNanos);
  }

  private static Map<String, Target> split(Share limit, List<Demand> demands, int active) {
    long[] wanted = demands.stream().mapToLong(Demand::amount).toArray();
    long rate = (long) (limit.milliRate() * (1 - RESERVE));
    long burst = Math.max(active, (long) (limit.units() * (1 - RESERVE)));
    long[] rates = ShareAllocator.allocate(rate, wanted);
    long given = 0;
    for (long each : rates) {
      given += each;
    }
    // What nobody demands now is lent in advance: a demand that grows need not ask first.
    long[] more = ShareAllocator.allocate(rate - given, wanted);
    given = 0;
    for (int i = 0; i < rates.length; i++) {
      rates[i] += more[i];
      given += rates[i];
    }
    Map<String, Target> targets = new HashMap<>();
    for (int i = 0; i < rates.length; i++) {
      if (wanted[i] > 0) {
        long units = 1 + (long) ((burst - active) * (rates[i] / (double) Math.max(1, given)));
        targets.put(demands.get(i).holder(), new Target(new Share(rates[i], units), 0, 0));
      }
    }
    return targets;
  }

  private Map<String, Target> goRound(
      Share limit, List<Demand> demands, int active, double startsPerLease, long nowNanos) {
    long byBurst = limit.units() / 2;
    int places = (int) Math.max(1, Math.min(active, Math.min(byBurst, startsPerLease / 10)));
    Share share = new Share(limit.milliRate() / places, Math.max(1, limit.units() / places));
    Map<String, Target> targets = new HashMap<>();
    if (active <= places) {
      turns.end();
      for (Demand demand : demands) {
        if (demand.amount() > 0) {
          targets.put(demand.holder(), new Target(share, 0, 0));
        }
      }
      return targets;
    }
    double startsPerNano = share.milliRate() / 1_000.0 / SECOND;
    long starts = Math.max(1, (long) Math.ceil(startsPerNano * TURN_NANOS));
    long longest = Math.max(TURN_NANOS, (long) (starts / Math.max(startsPerNano, 1e-12)));
    turns
        .take(demands, places, Math.min(longest, LONGEST_NANOS) * LONGEST_TURN_FACTOR, nowNanos)
        .forEach((holder, turn) -> targets.put(holder, new Target(share, turn, starts)));
    return targets;
  }
}
