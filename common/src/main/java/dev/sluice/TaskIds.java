// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

import java.util.UUID;
import java.util.random.RandomGenerator;

/**
 * Draws task ids: UUIDs of version 7 (RFC 9562), which sort by the time they were drawn. As safe
 * for threads as the generator it is given.
 */
public final class TaskIds {
  private final RandomGenerator random;

  /**
   * @param random the source of the 74 random bits; a seeded one makes the ids of a test repeatable
   */
  public TaskIds(RandomGenerator random) {
    this.random = random;
  }

  /** When an id of version 7 was drawn, in epoch milliseconds; -1 for any other id. */
  public static long epochMillis(String id) {
    if (id.length() != 36 || id.charAt(14) != '7') {
      return -1;
    }
    try {
      return UUID.fromString(id).getMostSignificantBits() >>> 16;
    } catch (IllegalArgumentException e) {
      return -1;
    }
  }

  /**
   * A new id.
   *
   * @param epochMillis the present time
   */
  public String next(long epochMillis) {
    long high = epochMillis << 16 | 0x7000L | random.nextLong() & 0x0fffL;
    long low = random.nextLong() & 0x3fffffffffffffffL | 0x8000000000000000L;
    return new UUID(high, low).toString();
  }
}
