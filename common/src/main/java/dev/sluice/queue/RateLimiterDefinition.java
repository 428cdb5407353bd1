// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import java.time.Duration;

/**
 * A rate limiter, in Resilience4j's words.
 *
 * @param limitForPeriod starts of tasks per period in one worker; 1 to 10,000,000
 * @param limitRefreshPeriod the period; 1 ms to 1 day
 */
public record RateLimiterDefinition(int limitForPeriod, Duration limitRefreshPeriod) {
  public RateLimiterDefinition {
    Ranges.check("limitForPeriod", limitForPeriod, 1, 10_000_000);
    Ranges.check(
        "limitRefreshPeriod", limitRefreshPeriod, Duration.ofMillis(1), Duration.ofDays(1));
  }

  /** So many per second, in periods of a tenth of a second where that gives a whole number. */
  public static RateLimiterDefinition perSecond(int rate) {
    Ranges.check("rate", rate, 1, 10_000_000);
    int periods = 1;
    for (int candidate : new int[] {10, 5, 4, 2}) {
      if (rate % candidate == 0) {
        periods = candidate;
        break;
      }
    }
    return new RateLimiterDefinition(rate / periods, Duration.ofMillis(1_000 / periods));
  }
}
