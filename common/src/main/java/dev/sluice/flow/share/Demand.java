// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.share;

/**
 * What one holder could use of a limit.
 *
 * @param holder who
 * @param amount thousandths of a start per second, or slots; 0 or more
 * @param holds whether it has said that it has some of it
 * @param turnOver whether it has used up the turn that it had
 */
public record Demand(String holder, long amount, boolean holds, boolean turnOver) {
  public Demand {
    if (amount < 0) {
      throw new IllegalArgumentException("Holder " + holder + " demands " + amount);
    }
  }
}
