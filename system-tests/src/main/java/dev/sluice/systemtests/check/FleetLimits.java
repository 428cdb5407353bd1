// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

/**
 * What was promised of a fleet as a whole.
 *
 * @param rate starts per second; 0 for no such limit
 * @param burst starts at once
 * @param concurrency tasks at once; 0 for no such limit
 */
public record FleetLimits(double rate, long burst, long concurrency) {
  /** No limits: only figures. */
  public static final FleetLimits NONE = new FleetLimits(0, 0, 0);
}
