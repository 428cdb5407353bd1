// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

/** What a task that waits for its next attempt does to those behind it. */
public enum OnRetry {
  /**
   * It keeps its place: with {@link Order#KEY} the later tasks of its key wait for it, in their
   * order, and with {@link Order#PARTITION} those of its partition. It waits in memory.
   */
  HOLD_KEY,
  /**
   * Where the wait is a second or longer it leaves its place, waits in the delay topics and comes
   * back through the retry topic of its queue, behind tasks that overtook it.
   */
  LET_PASS
}
