// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import dev.sluice.queue.PrioritiesDefinition;

/**
 * What credit for a queue is for. Each line of a process has counts of its own, so that tasks of
 * one line never use what was granted for others. Immutable.
 *
 * @param priority of what producers submit; 0 for what tasks submit
 * @param depth 0 for what producers submit; else the generation of what tasks submit
 */
public record CreditLine(int priority, int depth) {
  /** What producers submit with the least priority, or where the queue has only one. */
  public static final CreditLine PRODUCED = new CreditLine(0, 0);

  public CreditLine {
    if (priority < 0
        || priority >= PrioritiesDefinition.LEVELS_MAX
        || depth < 0
        || priority > 0 && depth > 0) {
      throw new IllegalArgumentException(
          "There is no credit for priority " + priority + " in depth " + depth);
    }
  }

  /** What producers submit with that priority. */
  public static CreditLine priority(int priority) {
    return priority == 0 ? PRODUCED : new CreditLine(priority, 0);
  }

  /** What tasks submit in that generation. */
  public static CreditLine depth(int depth) {
    return new CreditLine(0, depth);
  }

  boolean produced() {
    return depth == 0;
  }

  /** Tells it from all other credit of that holder, or of that queue. */
  String account(String name) {
    if (depth > 0) {
      return name + "#" + depth;
    }
    return priority > 0 ? name + "^" + priority : name;
  }
}
