// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import java.time.Duration;

/**
 * Whether the tasks of a queue are suppressed that come a second time. Immutable.
 *
 * @param window how long before a task another one of its id makes it a duplicate; zero for not at
 *     all, else 1 s to 7 days
 * @param maxIds how many tasks of one partition are remembered, which shortens the window where
 *     more come within it; 100 to 10,000,000; about 40 bytes each
 */
public record DedupeDefinition(Duration window, int maxIds) {
  /** How many tasks of one partition are remembered unless another number is set. */
  public static final int MAX_IDS = 100_000;

  /** Each record is a task of its own. */
  public static final DedupeDefinition NONE = new DedupeDefinition(Duration.ZERO, MAX_IDS);

  public DedupeDefinition {
    if (!window.isZero()) {
      Ranges.check("dedupe", window, Duration.ofSeconds(1), Duration.ofDays(7));
    }
    Ranges.check("dedupe.maxIds", maxIds, 100, 10_000_000);
  }

  /** Whether duplicates are run like any other task. */
  public boolean isNone() {
    return window.isZero();
  }
}
