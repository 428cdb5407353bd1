// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import java.time.Duration;

/**
 * Counts what has ended and is in no acknowledged commit: a crash has it run again. Says when a
 * commit is worth it before its interval is over, and when so much waits for one that nothing
 * starts until it is there.
 *
 * <p>How much that is follows from the rate at which tasks end and from how long a commit takes at
 * best, the propagation time of BBR: a worker that only waits for slow brokers is not held, one
 * whose threads leave the poll thread no processor is. A hold is bounded in time, and ends with any
 * answer, because a commit that fails must not stop the work.
 *
 * <p>Not thread-safe; used under the engine's lock.
 */
final class CommitPace {
  /**
   * So many ended tasks are worth a commit before its interval is over; twice as many where no more
   * than that end in one, so that the interval is enough.
   */
  private static final int WORTH = 500;

  /** So many may always wait for an acknowledgement. */
  static final int BOUND_LEAST = 1_500;

  /** What ends in this time may. */
  private static final long AHEAD_NANOS = Duration.ofMillis(20).toNanos();

  /** What ends while so many commits are answered may. */
  private static final int TRIPS = 4;

  /** Nothing is held for longer. */
  static final long HOLD_NANOS_MAX = Duration.ofMillis(100).toNanos();

  /** The shortest trip is that of this and the last window of so long, to follow a slower path. */
  private static final long WINDOW_NANOS = Duration.ofSeconds(2).toNanos();

  private long ended;
  private long taken;
  private long sent;
  private boolean underWay;
  private boolean hurried;
  private long sentNanos;
  private long windowNanos;
  private long tripNanos = Long.MAX_VALUE;
  private long lastTripNanos = Long.MAX_VALUE;
  private double perNano;
  private int worthFrom = WORTH;
  private long bound = BOUND_LEAST;
  private boolean holding;
  private long holdingNanos;

  /** A task has ended; returns whether the poll thread should look. */
  boolean ended() {
    ended++;
    return !underWay && ended == worthFrom() || ended + sent == bound;
  }

  /** Whether so many have ended since the last snapshots that a commit need not wait long. */
  boolean worthIt() {
    return ended >= worthFrom();
  }

  /** Whether so much ends that commits do not wait for their interval. */
  boolean follows() {
    return worthFrom() <= WORTH;
  }

  /** Whether somebody waits for what ends here: each end is worth a commit then. */
  void hurry(boolean someoneWaits) {
    hurried = someoneWaits;
  }

  private int worthFrom() {
    return hurried ? 1 : worthFrom;
  }

  /** Whether nothing is to start because more has ended without an acknowledgement than should. */
  boolean holds(long nowNanos) {
    if (ended + sent < bound) {
      holding = false;
      return false;
    }
    if (!holding) {
      holding = true;
      holdingNanos = nowNanos;
    }
    return nowNanos - holdingNanos < HOLD_NANOS_MAX;
  }

  /**
   * Whether half of what may has ended without an acknowledgement: commits are late, and what
   * threads end before they look again adds to what a crash has run again.
   */
  boolean late() {
    return ended + sent >= bound / 2;
  }

  /**
   * Snapshots are about to be taken.
   *
   * @param sinceNanos the time since the last ones
   * @param intervalNanos after which a commit is due at the latest
   * @param quick whether all handlers are so fast that they are given batches: to run a whole
   *     interval's tasks again costs them little, and to be held costs more
   * @param many whether hundreds of tasks may run at once: they are not held at all
   */
  void measure(long sinceNanos, long intervalNanos, boolean quick, boolean many) {
    double now = (double) ended / Math.max(1, sinceNanos);
    perNano = (perNano + now) / 2;
    worthFrom = now * intervalNanos > 2 * WORTH ? WORTH : 2 * WORTH;
    long trip = Math.min(tripNanos, lastTripNanos);
    long ahead =
        Math.max(
            quick ? Math.max(intervalNanos, AHEAD_NANOS) : AHEAD_NANOS,
            trip == Long.MAX_VALUE ? 0 : TRIPS * trip);
    bound = many ? Long.MAX_VALUE : Math.max(BOUND_LEAST, (long) (Math.max(perNano, now) * ahead));
  }

  /** What has ended until now is in snapshots. */
  void taken() {
    taken = ended;
    ended = 0;
  }

  /** The last snapshots are in a commit that waits for its acknowledgement from now on. */
  void sent(long nowNanos) {
    underWay = true;
    sent = taken;
    sentNanos = nowNanos;
  }

  boolean underWay() {
    return underWay;
  }

  /** It was answered, in whichever way, or is given up. */
  void answered(long nowNanos) {
    if (underWay) {
      if (nowNanos - windowNanos > WINDOW_NANOS) {
        windowNanos = nowNanos;
        lastTripNanos = tripNanos;
        tripNanos = Long.MAX_VALUE;
      }
      tripNanos = Math.min(tripNanos, nowNanos - sentNanos);
    }
    underWay = false;
    sent = 0;
    holding = false;
  }
}
