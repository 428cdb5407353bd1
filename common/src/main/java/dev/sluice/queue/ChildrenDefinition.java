// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

/**
 * What the tasks of a queue may submit. Immutable.
 *
 * @param maxDepth how many generations may follow a task that a producer has submitted; 0 to 1,000,
 *     default 100
 * @param perTask how many tasks one task may submit into its own queue, which then wait for room in
 *     a queue with a capacity; 1 to 1,000. 0, the default: as many as it likes, and they pass the
 *     capacity by
 */
public record ChildrenDefinition(int maxDepth, int perTask) {
  /** A hundred generations, and no part of the capacity. */
  public static final ChildrenDefinition DEFAULT = new ChildrenDefinition(100, 0);

  public ChildrenDefinition {
    Ranges.check("maxDepth", maxDepth, 0, 1_000);
    Ranges.check("maxChildren", perTask, 0, 1_000);
  }

  /** Whether they wait for room where there is a capacity. */
  public boolean counted() {
    return perTask > 0;
  }

  /** How far beyond its capacity the backlog of a queue may be because of them. */
  public long allowance() {
    return (long) maxDepth * perTask;
  }
}
