// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import java.util.List;

/**
 * A record of the coordinator in one partition of the grants topic: grants, or none as a sign of
 * life. The first one of an epoch ends all earlier epochs in its partition. Immutable.
 *
 * @param epoch of the coordinator
 * @param monoNanos its monotonic time when it wrote this; comparable within an epoch only
 * @param leaseNanos how long a lease lasts for its holder
 * @param spacingNanos the least time between two reports of a holder, on average
 * @param open whether the coordinator gives of all limits: false while it waits out what an earlier
 *     log may have granted, so that whoever follows it then does not take the log for complete
 * @param grants for holders that read this partition
 */
public record GrantBatch(
    Epoch epoch,
    long monoNanos,
    long leaseNanos,
    long spacingNanos,
    boolean open,
    List<Grant> grants) {
  /** The longest lease that is believed. */
  public static final long LEASE_NANOS_MAX = 120_000_000_000L;

  public GrantBatch {
    if (leaseNanos < 1 || leaseNanos > LEASE_NANOS_MAX || spacingNanos < 0) {
      throw new IllegalArgumentException(
          "A lease of " + leaseNanos + " ns with reports every " + spacingNanos + " ns");
    }
    grants = List.copyOf(grants);
  }
}
