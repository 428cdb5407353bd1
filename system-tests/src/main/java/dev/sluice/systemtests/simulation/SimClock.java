// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

/** The monotonic clock of one process: it starts anywhere and runs up to 2 % fast or slow. */
final class SimClock {
  private final long origin;
  private final double pace;

  SimClock(long origin, double pace) {
    this.origin = origin;
    this.pace = pace;
  }

  /** What it shows at a true time. */
  long at(long trueNanos) {
    return origin + (long) (trueNanos * pace);
  }

  /** The true time that passes while it shows so much. */
  long trueNanos(long shownNanos) {
    return (long) Math.ceil(shownNanos / pace);
  }
}
