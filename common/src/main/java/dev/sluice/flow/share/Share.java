// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.share;

/**
 * A part of a limit. Immutable.
 *
 * @param milliRate thousandths of a start per second; 0 where the limit is one on concurrency
 * @param units tokens of burst, or slots where the limit is one on concurrency
 */
public record Share(long milliRate, long units) {
  /** Nothing. */
  public static final Share NONE = new Share(0, 0);

  public Share {
    if (milliRate < 0 || units < 0) {
      throw new IllegalArgumentException(
          "A share of " + milliRate + " thousandths per second and " + units + " units");
    }
  }

  /** Both parts added. */
  public Share plus(Share other) {
    return new Share(milliRate + other.milliRate, units + other.units);
  }

  /** Both parts subtracted, but never below nothing. */
  public Share minus(Share other) {
    return new Share(Math.max(0, milliRate - other.milliRate), Math.max(0, units - other.units));
  }

  /** The larger of each part. */
  public Share max(Share other) {
    return new Share(Math.max(milliRate, other.milliRate), Math.max(units, other.units));
  }

  /** The smaller of each part. */
  public Share min(Share other) {
    return new Share(Math.min(milliRate, other.milliRate), Math.min(units, other.units));
  }

  /** Whether neither part is more than the other's. */
  public boolean within(Share other) {
    return milliRate <= other.milliRate && units <= other.units;
  }

  /** Whether it is nothing. */
  public boolean isNone() {
    return milliRate == 0 && units == 0;
  }
}
