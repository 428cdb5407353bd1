// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

/** What happens to running tasks of a worker that is cut off from the fleet. */
public enum FleetMode {
  /** They run on; meanwhile their slots may be given to others. */
  SOFT,
  /**
   * Their slots stay theirs until the attempt's time-out is over; a worker whose handler outlives
   * that ends its process. Never more tasks run than the limit says.
   */
  STRICT
}
