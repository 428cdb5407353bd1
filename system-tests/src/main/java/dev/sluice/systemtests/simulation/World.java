// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Virtual time: events in the order of their times, and a hash over all that happens. */
final class World {
  static final long SECOND = 1_000_000_000L;

  /** A millisecond. */
  static final long TICK = 1_000_000L;

  private record Event(long atNanos, long sequence, Runnable what) {}

  private final PriorityQueue<Event> events =
      new PriorityQueue<>(
          Comparator.comparingLong(Event::atNanos).thenComparingLong(Event::sequence));
  private final SplittableRandom random;
  private long nowNanos;
  private long sequence;
  private long hash = 17;

  World(long seed) {
    this.random = new SplittableRandom(seed);
  }

  long now() {
    return nowNanos;
  }

  void at(long nanos, Runnable what) {
    events.add(new Event(Math.max(nanos, nowNanos), sequence++, what));
  }

  void after(long nanos, Runnable what) {
    at(nowNanos + nanos, what);
  }

  /** Runs what happens until then. */
  void run(long untilNanos) {
    for (Event next = events.peek();
        next != null && next.atNanos <= untilNanos;
        next = events.peek()) {
      events.poll();
      nowNanos = next.atNanos;
      next.what.run();
    }
    nowNanos = untilNanos;
  }

  /** A random source of its own, so that one more number here changes nothing there. */
  RandomGenerator fork() {
    return random.split();
  }

  void trace(String what, long detail) {
    hash = hash * 1_000_003 + what.hashCode();
    hash = hash * 1_000_003 + detail;
    hash = hash * 1_000_003 + nowNanos;
  }

  long hash() {
    return hash;
  }
}
