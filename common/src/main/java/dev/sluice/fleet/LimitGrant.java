// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import dev.sluice.flow.share.Share;

/**
 * A share of one fleet limit. Immutable.
 *
 * @param key which limit
 * @param share what the holder may use
 * @param tokens tokens that come with it, once
 * @param turn the number of the holder's turn; 0 where there are none
 * @param startsMax starts in that turn
 * @param holdNanos how long after the lease its slots may still be busy; 0 unless it is strict
 */
public record LimitGrant(
    LimitKey key, Share share, long tokens, long turn, long startsMax, long holdNanos) {
  public LimitGrant {
    if (tokens < 0 || tokens > share.units() || turn < 0 || startsMax < 0 || holdNanos < 0) {
      throw new IllegalArgumentException("The grant of " + key + " is impossible");
    }
  }
}
