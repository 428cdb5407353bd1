// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import java.util.Optional;

/**
 * The limits that all workers of a fleet share. Immutable.
 *
 * @param rate starts per second
 * @param concurrency tasks at once
 */
public record FleetLimitsDefinition(
    Optional<FleetRateDefinition> rate, Optional<FleetConcurrencyDefinition> concurrency) {
  /** No limits. */
  public static final FleetLimitsDefinition NONE =
      new FleetLimitsDefinition(Optional.empty(), Optional.empty());

  /** The same with another rate. */
  public FleetLimitsDefinition withRate(FleetRateDefinition limit) {
    return new FleetLimitsDefinition(Optional.of(limit), concurrency);
  }

  /** The same with another concurrency. */
  public FleetLimitsDefinition withConcurrency(FleetConcurrencyDefinition limit) {
    return new FleetLimitsDefinition(rate, Optional.of(limit));
  }

  /** Whether there is none. */
  public boolean isNone() {
    return rate.isEmpty() && concurrency.isEmpty();
  }
}
