// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.kafka;

import dev.sluice.fleet.CancelWish;
import dev.sluice.fleet.CreditReport;
import dev.sluice.fleet.DeclaredQueue;
import dev.sluice.fleet.FleetSettings;
import dev.sluice.fleet.Grant;
import dev.sluice.fleet.LimitReport;
import dev.sluice.fleet.QueueReport;
import java.util.List;

/** A process that takes part in the fleet. Called on the fleet's thread; must not block. */
public interface Participant {
  /**
   * What is said of it in a report.
   *
   * @param limits what it says of fleet limits
   * @param credits what it says of its credit
   * @param queues what it says of its queues
   */
  record Content(List<LimitReport> limits, List<CreditReport> credits, List<QueueReport> queues) {
    public Content {
      limits = List.copyOf(limits);
      credits = List.copyOf(credits);
      queues = List.copyOf(queues);
    }
  }

  /** The settings were read to their end, or have changed since. */
  void settings(FleetSettings settings);

  /** What of its queues is not declared as it has them; asked once, when the settings are read. */
  List<DeclaredQueue> declare(FleetSettings settings);

  /** There is no settings topic, or it cannot be read: nothing is set. */
  void noSettings();

  /**
   * A grant was accepted.
   *
   * @param leaseEndNanos when it ends
   */
  void granted(Grant grant, long leaseEndNanos, long nowNanos);

  /** All leases are over at once: the control topics are others. */
  void leasesOver(long nowNanos);

  /**
   * How much longer than its lease a share of this process may be in use, in nanoseconds: 0 but for
   * strict limits on concurrency. Grants must be in the topic for as long.
   */
  default long longestHoldNanos() {
    return 0;
  }

  /**
   * Whether anything is shared with others now: a limit of the fleet, or a capacity. A process that
   * shares nothing looks after its part in the fleet less often.
   */
  default boolean shares() {
    return true;
  }

  /** What wishes to cancel tasks have come to here; each is told once. */
  default List<CancelWish> answers() {
    return List.of();
  }

  /** Whether something has changed that should be reported without waiting. */
  boolean urgent(long nowNanos);

  /**
   * What to report; what is not needed is given up first.
   *
   * @param leaving whether it is the last report: everything is given up
   */
  Content content(boolean leaving, long nowNanos);
}
