// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.lease;

/**
 * How long a lease counts for whom. With a clock drift of at most ρ on each side, a giver that
 * counts L(1+ρ)/(1−ρ) from a moment after the holder began to count L is never done before it.
 */
public final class LeaseTimes {
  /** The bound on the drift of a monotonic clock: 2 %. */
  public static final double DRIFT = 0.02;

  private LeaseTimes() {}

  /** How long the giver counts, from the acknowledgement of the grant, in nanoseconds. */
  public static long bookNanos(long leaseNanos) {
    return (long) Math.ceil(leaseNanos * ((1 + DRIFT) / (1 - DRIFT)));
  }

  /** How long a new giver counts what it has read back, in nanoseconds. */
  public static long readBackNanos(long leaseNanos) {
    return (long) Math.ceil(leaseNanos * (1 + 2 * DRIFT) * 1.01);
  }

  /**
   * How old a grant can be that is read back, on the clock of the one who wrote it.
   *
   * @param holdNanos how much longer than its lease a share stays booked: 0, or for a strict limit
   *     on concurrency the attempt time-out and a grace
   */
  public static long readBackWindowNanos(long leaseNanos, long holdNanos) {
    return (long) Math.ceil((leaseNanos + holdNanos) * (1 + 2 * DRIFT) * 1.3);
  }
}
