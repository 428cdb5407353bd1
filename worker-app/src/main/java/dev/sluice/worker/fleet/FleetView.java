// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.fleet.HeldLimits.Held;
import dev.sluice.fleet.LimitKey;
import dev.sluice.fleet.LimitKey.Kind;
import dev.sluice.flow.share.Share;
import java.util.ArrayList;
import java.util.List;

/**
 * What a worker holds of the fleet's limits at one moment. Immutable.
 *
 * @param limits one line per limit that is set
 */
public record FleetView(List<Line> limits) {
  public FleetView {
    limits = List.copyOf(limits);
  }

  /**
   * One limit.
   *
   * @param limit its name
   * @param kind what it counts
   * @param share what this worker may use; nothing without a valid lease
   * @param inUse slots in use
   * @param leaseEndNanos when the lease ends
   */
  public record Line(String limit, Kind kind, Share share, long inUse, long leaseEndNanos) {}

  /** Its share of a rate, in thousandths per second; 0 for none. */
  public long milliRate(LimitKey key) {
    return share(key).milliRate();
  }

  /** Its share of a concurrency; 0 for none. */
  public long slots(LimitKey key) {
    return share(key).units();
  }

  private Share share(LimitKey key) {
    for (Line line : limits) {
      if (line.limit().equals(key.text())) {
        return line.share();
      }
    }
    return Share.NONE;
  }

  static FleetView of(List<Held> held, long nowNanos) {
    List<Line> lines = new ArrayList<>();
    for (Held each : held) {
      synchronized (each) {
        boolean rate = each.key().kind() == Kind.RATE;
        lines.add(
            new Line(
                each.key().text(),
                each.key().kind(),
                rate ? each.rate().share(nowNanos) : new Share(0, each.slots().slots(nowNanos)),
                rate ? 0 : each.slots().inUse(),
                rate ? each.rate().endNanos() : each.slots().endNanos()));
      }
    }
    return new FleetView(lines);
  }
}
