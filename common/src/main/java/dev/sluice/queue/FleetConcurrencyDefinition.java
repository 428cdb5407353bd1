// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

/**
 * A limit on how many tasks all workers together run at once.
 *
 * @param limit tasks at once; 1 to 1,000,000
 * @param mode what holds while a worker is cut off
 */
public record FleetConcurrencyDefinition(int limit, FleetMode mode) {
  public FleetConcurrencyDefinition {
    Ranges.check("limit", limit, 1, 1_000_000);
  }
}
