// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import java.util.List;
import java.util.Map;

/**
 * How a fleet kept its limits.
 *
 * @param starts attempts that began
 * @param seconds from the first to the last of them
 * @param meanPerSecond of that time
 * @param mostIn100Millis the most starts in any window of 0.1 s
 * @param mostInSecond in any window of 1 s
 * @param mostIn10Seconds in any window of 10 s
 * @param startsOver how many starts the worst of all windows has beyond {@code burst + 1.02 * rate
 *     * w}; negative if none has
 * @param maxConcurrent the most tasks that ran at once
 * @param startsBy starts of each worker file
 * @param violations what was broken
 */
public record FleetFigures(
    long starts,
    double seconds,
    double meanPerSecond,
    long mostIn100Millis,
    long mostInSecond,
    long mostIn10Seconds,
    double startsOver,
    long maxConcurrent,
    Map<String, Long> startsBy,
    List<String> violations) {
  /** Copies the collections. */
  public FleetFigures {
    startsBy = Map.copyOf(startsBy);
    violations = List.copyOf(violations);
  }
}
