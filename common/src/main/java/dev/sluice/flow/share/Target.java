// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.share;

/**
 * What one holder should have.
 *
 * @param share of the limit
 * @param turn the number of its turn; 0 where there are none
 * @param startsMax starts in this turn; without meaning where there are none
 */
public record Target(Share share, long turn, long startsMax) {
  /** Nothing. */
  public static final Target NONE = new Target(Share.NONE, 0, 0);
}
