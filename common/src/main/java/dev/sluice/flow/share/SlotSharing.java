// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.share;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Divides one limit on concurrency, in whole slots, by demand; where there are fewer slots than
 * holders that demand one, they go round. Not thread-safe.
 */
public final class SlotSharing {
  private static final double RESERVE = 0.02;
  private static final long TURN_NANOS = 2_000_000_000L;

  private final Turns turns = new Turns();

  /**
   * Decides what each holder should have.
   *
   * @param slots of all together
   * @param demands of all known holders, in slots
   * @return what each holder that should have something should have
   */
  public Map<String, Target> plan(long slots, List<Demand> demands, long nowNanos) {
    int active = (int) demands.stream().filter(d -> d.amount() > 0).count();
    if (active == 0 || slots == 0) {
      turns.end();
      return Map.of();
    }
    Map<String, Target> targets = new HashMap<>();
    if (slots >= active) {
      turns.end();
      long[] wanted = demands.stream().mapToLong(Demand::amount).toArray();
      long[] shares = ShareAllocator.allocate(slots - (long) (slots * RESERVE), wanted);
      for (int i = 0; i < shares.length; i++) {
        if (shares[i] > 0) {
          targets.put(demands.get(i).holder(), new Target(new Share(0, shares[i]), 0, 0));
        }
      }
      return targets;
    }
    turns
        .take(demands, (int) slots, TURN_NANOS, nowNanos)
        .keySet()
        .forEach(holder -> targets.put(holder, new Target(new Share(0, 1), 0, 0)));
    return targets;
  }
}
