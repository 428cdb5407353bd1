// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a run is measured by. */
final class SimFigures {
  private static final long SLOT = World.SECOND / 4;

  private final List<long[]> slots = new ArrayList<>();
  private final Map<String, Long> admittedBy = new HashMap<>();
  private final Map<String, Long> startedBy = new HashMap<>();
  private final List<double[]> depths = new ArrayList<>();
  private long from = Long.MAX_VALUE;
  private double possible;
  private long drainedInAll;
  private long coordinatorNanos;
  private int takeOvers;
  private long lastTakeOver;

  private long[] slot(long nanos) {
    int i = (int) (nanos / SLOT);
    while (slots.size() <= i) {
      slots.add(new long[5]);
    }
    return slots.get(i);
  }

  void sent(long nanos) {
    slot(nanos)[0]++;
  }

  void received(long nanos) {
    slot(nanos)[1]++;
  }

  void started(long nanos, String worker) {
    slot(nanos)[2]++;
    if (nanos >= from) {
      startedBy.merge(worker, 1L, Long::sum);
    }
  }

  void admitted(long nanos, String producer) {
    slot(nanos)[3]++;
    if (nanos >= from) {
      admittedBy.merge(producer, 1L, Long::sum);
    }
  }

  void drained(long nanos, long tasks, double could) {
    slot(nanos)[4] += tasks;
    if (nanos >= from) {
      possible += could;
      drainedInAll += tasks;
    }
  }

  /** Remembers where the log's end and the finished count stood, for delays. */
  void depth(long nanos, long appended, long finished) {
    if (depths.isEmpty() || nanos - (long) depths.get(depths.size() - 1)[0] >= SLOT / 5) {
      depths.add(new double[] {nanos, appended, finished});
    }
  }

  void coordinated(long nanos) {
    coordinatorNanos += nanos;
  }

  void tookOver(long nanos) {
    takeOvers++;
    lastTakeOver = nanos;
  }

  /** From now on it counts who got how much. */
  void countFrom(long nanos) {
    from = nanos;
    admittedBy.clear();
    startedBy.clear();
    possible = 0;
    drainedInAll = 0;
  }

  double perSecond(int what, long fromNanos, long toNanos) {
    long sum = 0;
    for (int i = (int) (fromNanos / SLOT); i < toNanos / SLOT && i < slots.size(); i++) {
      sum += slots.get(i)[what];
    }
    return sum / ((toNanos - fromNanos) / (double) World.SECOND);
  }

  double messagesPerSecond(long fromNanos, long toNanos) {
    return perSecond(0, fromNanos, toNanos) + perSecond(1, fromNanos, toNanos);
  }

  double startsPerSecond(long fromNanos, long toNanos) {
    return perSecond(2, fromNanos, toNanos);
  }

  double admittedPerSecond(long fromNanos, long toNanos) {
    return perSecond(3, fromNanos, toNanos);
  }

  double drainedPerSecond(long fromNanos, long toNanos) {
    return perSecond(4, fromNanos, toNanos);
  }

  /** How long the task that ended last at that time had waited, in seconds. */
  double delaySeconds(long nanos) {
    double finished = 0;
    double at = 0;
    for (double[] depth : depths) {
      if (depth[0] > nanos) {
        break;
      }
      at = depth[0];
      finished = depth[2];
    }
    for (double[] depth : depths) {
      if (depth[1] > finished) {
        return Math.max(0, (at - depth[0]) / World.SECOND);
      }
    }
    return 0;
  }

  double drainUtilization() {
    return possible == 0 ? 1 : drainedInAll / possible;
  }

  Map<String, Long> admittedBy() {
    return admittedBy;
  }

  Map<String, Long> startedBy() {
    return startedBy;
  }

  static double jain(Map<String, Long> shares) {
    double sum = 0;
    double squares = 0;
    for (long share : shares.values()) {
      sum += share;
      squares += (double) share * share;
    }
    return squares == 0 ? 1 : sum * sum / (shares.size() * squares);
  }

  long coordinatorNanos() {
    return coordinatorNanos;
  }

  int takeOvers() {
    return takeOvers;
  }

  long lastTakeOver() {
    return lastTakeOver;
  }
}
