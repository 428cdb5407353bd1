// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.retry;

/** What follows a failed attempt. */
public sealed interface RetryDecision {
  /**
   * Try again.
   *
   * @param delayNanos after this many nanoseconds
   * @param attemptUsed whether the failed attempt counts
   */
  record RetryAfter(long delayNanos, boolean attemptUsed) implements RetryDecision {}

  /**
   * Give up.
   *
   * @param why the reason, as a sentence without its end
   */
  record DeadLetter(String why) implements RetryDecision {}
}
