// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

/**
 * The reign of one coordinator, as the log gave it: epochs of one topic are ordered by the counter
 * of the claim that won, then by its offset. Immutable.
 *
 * @param topicId the id of the grants topic; another one ends all leases
 * @param counter of the claim, from 1
 * @param offset of the claim in partition 0
 * @param incarnation of the process that claimed
 */
public record Epoch(String topicId, long counter, long offset, String incarnation) {
  private static final int NUMBER_BITS = 40;

  /**
   * One number that orders the grants of a topic: by the counter of their epoch, then their own.
   */
  public static long order(long counter, long grantNumber) {
    return (counter << NUMBER_BITS) + grantNumber;
  }

  /** Whether this one supersedes the other of the same topic. */
  public boolean isAfter(Epoch other) {
    if (counter != other.counter) {
      return counter > other.counter;
    }
    if (offset != other.offset) {
      return offset > other.offset;
    }
    return incarnation.compareTo(other.incarnation) > 0;
  }
}
