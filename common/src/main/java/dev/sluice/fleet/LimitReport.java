// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import dev.sluice.flow.share.Share;

/**
 * What a holder says of one fleet limit. Immutable.
 *
 * @param key which limit
 * @param configured what its own configuration says the limit of all together is
 * @param holdNanos how long after a lapse its slots may still be busy, where the limit is strict;
 *     else 0
 * @param demand what it could use: thousandths of a start per second, or slots
 * @param held what it holds, or what runs if that is more
 * @param turnOver whether it has used up its turn
 * @param started starts under this limit since it began
 */
public record LimitReport(
    LimitKey key,
    Share configured,
    long holdNanos,
    long demand,
    Share held,
    boolean turnOver,
    long started) {
  public LimitReport {
    if (holdNanos < 0 || demand < 0 || started < 0) {
      throw new IllegalArgumentException("The report of " + key + " has a negative number");
    }
  }
}
