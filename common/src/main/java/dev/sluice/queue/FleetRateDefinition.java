// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

/**
 * A limit on the rate of all workers together: in any window of w seconds the fleet starts at most
 * {@code burst + 1.02 * rate * w} tasks.
 *
 * @param rate starts per second; 0.001 to 9,000,000
 * @param burst starts at once after a rest; 1 to 1,000,000,000
 */
public record FleetRateDefinition(double rate, long burst) {
  private static final double BURST_SECONDS = 0.1;

  public FleetRateDefinition {
    Ranges.check("rate", rate, 0.001, 9_000_000.0);
    Ranges.check("burst", burst, 1L, 1_000_000_000L);
  }

  /** That rate, with a burst of a tenth of a second, at least 1. */
  public static FleetRateDefinition perSecond(double rate) {
    return new FleetRateDefinition(rate, Math.max(1, (long) Math.ceil(rate * BURST_SECONDS)));
  }
}
