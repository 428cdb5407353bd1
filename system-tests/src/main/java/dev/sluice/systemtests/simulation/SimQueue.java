// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

/** The queue that the producers fill: how many tasks it had, and how many have ended. */
final class SimQueue {
  static final String NAME = "q";

  private static final long STEP = 5 * World.TICK;

  private final World world;
  private final Invariants invariants;
  private final SimFigures figures;
  private double ratePerSecond;
  private double surplus;
  private long appended;
  private long finished;

  SimQueue(World world, Invariants invariants, SimFigures figures, double ratePerSecond) {
    this.world = world;
    this.invariants = invariants;
    this.figures = figures;
    this.ratePerSecond = ratePerSecond;
    world.after(STEP, this::drain);
  }

  void rate(double perSecond) {
    ratePerSecond = perSecond;
  }

  private void drain() {
    surplus = Math.min(surplus + ratePerSecond * STEP / World.SECOND, ratePerSecond / 10 + 1);
    long whole = Math.min((long) surplus, appended - finished);
    finished += whole;
    surplus -= whole;
    figures.drained(world.now(), whole, ratePerSecond * STEP / World.SECOND);
    figures.depth(world.now(), appended, finished);
    world.after(STEP, this::drain);
  }

  void append(String producer) {
    appended++;
    figures.admitted(world.now(), producer);
    invariants.backlog(appended - finished);
  }

  long appended() {
    return appended;
  }

  long finished() {
    return finished;
  }
}
