// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

/**
 * Somebody wants to be the coordinator. The first claim of a counter in partition 0 of the grants
 * topic wins. Immutable.
 *
 * @param counter one more than the greatest that the candidate has read
 * @param incarnation of the candidate
 * @param name of the candidate, for people
 */
public record Claim(long counter, String incarnation, String name) {
  public Claim {
    if (counter < 1) {
      throw new IllegalArgumentException("A claim of " + counter);
    }
  }
}
