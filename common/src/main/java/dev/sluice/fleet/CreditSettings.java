// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

/**
 * The bounds of a queue's backlog. Immutable.
 *
 * @param capacity tasks that producers may have in the queue; 0 for no bound
 * @param targetDelayNanos the delay that tasks should have; 0 for none
 */
public record CreditSettings(long capacity, long targetDelayNanos) {
  /** No bound. */
  public static final CreditSettings NONE = new CreditSettings(0, 0);

  public CreditSettings {
    if (capacity < 0 || targetDelayNanos < 0) {
      throw new IllegalArgumentException(
          "A capacity of " + capacity + " with a target of " + targetDelayNanos + " ns");
    }
  }
}
