// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import dev.sluice.fleet.CreditGrant;
import dev.sluice.fleet.CreditReport;
import dev.sluice.fleet.Grant;
import dev.sluice.fleet.LimitReport;
import dev.sluice.fleet.Report;
import dev.sluice.flow.credit.CreditAccount;
import java.util.List;

/** A producer that always has more to submit. */
final class SimProducer extends SimProcess {
  private static final int PER_TURN = 2_000;

  private final SimQueue queue;
  private final CreditAccount account = new CreditAccount();
  private boolean hungry = true;
  private boolean answered;
  private long takenSinceReport;
  private double rate;
  private long lookedAt;
  private long waits;

  SimProducer(
      World world, SimLog log, Scenario scenario, SimFigures figures, String name, SimQueue queue) {
    super(world, log, scenario, figures, name, Report.Kind.PRODUCER);
    this.queue = queue;
    this.lookedAt = now();
  }

  @Override
  long act() {
    waits = 0;
    for (int i = 0; hungry && i < PER_TURN; i++) {
      if (!account.take(now())) {
        waits = 1;
        break;
      }
      takenSinceReport++;
      long under = delayNanos();
      world.after(
          under,
          () -> {
            queue.append(name);
            world.after(delayNanos(), () -> whenRunning(account::spent));
          });
    }
    return Long.MAX_VALUE;
  }

  void hungry(boolean more) {
    hungry = more;
  }

  @Override
  void granted(Grant grant, long endNanos) {
    for (CreditGrant each : grant.credits()) {
      answered = true;
      account.apply(each.granted(), each.escrow(), each.sheddable(), endNanos, now());
    }
  }

  @Override
  void leasesOver() {}

  @Override
  boolean urgent() {
    return waits > 0 || !answered;
  }

  @Override
  List<LimitReport> limits(boolean leaving) {
    return List.of();
  }

  @Override
  List<CreditReport> credits(boolean leaving) {
    long now = now();
    double seconds = (now - lookedAt) / (double) World.SECOND;
    if (seconds > 0.02) {
      rate += (1 - Math.exp(-seconds / 0.5)) * (takenSinceReport / seconds - rate);
      takenSinceReport = 0;
      lookedAt = now;
    }
    account.valid(now);
    double ahead = rate * 0.5 * (waits > 0 ? 2 : 1.25);
    long demand =
        hungry ? account.inFlight() + waits + Math.max(32, (long) ahead) : account.inFlight();
    return List.of(
        new CreditReport(
            SimQueue.NAME,
            account.granted(),
            account.spentTotal(),
            account.returnedTotal(),
            demand,
            waits,
            0,
            0,
            15 * World.SECOND));
  }
}
