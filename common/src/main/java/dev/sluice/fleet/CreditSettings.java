// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import dev.sluice.queue.PrioritiesDefinition;

/**
 * The bounds of a queue's backlog. Immutable.
 *
 * @param capacity tasks that producers may have in the queue; 0 for no bound
 * @param targetDelayNanos the delay that tasks should have; 0 for none
 * @param perDepth by how much more the backlog may be for each generation of tasks that tasks have
 *     submitted
 * @param priorities of the queue
 */
public record CreditSettings(
    long capacity, long targetDelayNanos, long perDepth, PrioritiesDefinition priorities) {
  /** No bound. */
  public static final CreditSettings NONE = new CreditSettings(0, 0);

  /** Without priorities, and without tasks that submit tasks. */
  public CreditSettings(long capacity, long targetDelayNanos) {
    this(capacity, targetDelayNanos, 0, PrioritiesDefinition.NONE);
  }

  public CreditSettings {
    if (capacity < 0 || targetDelayNanos < 0 || perDepth < 0) {
      throw new IllegalArgumentException(
          "A capacity of " + capacity + " with a target of " + targetDelayNanos + " ns");
    }
  }
}
