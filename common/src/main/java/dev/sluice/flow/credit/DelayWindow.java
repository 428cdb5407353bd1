// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.credit;

import java.util.ArrayDeque;
import java.util.Arrays;

/**
 * How large a queue may be so that its delay stays near a target: {@code µ·(d* + c)} for a drain
 * rate µ, a target d* and the time c that credit is under way, corrected by what the delay turns
 * out to be. The bounds are the capacity and a small window that lets an empty queue begin. Not
 * thread-safe.
 *
 * <p>After Breakwater [1], which adds to a credit pool while the delay is below a target and cuts
 * it in proportion above it. Its constants were made for round trips of 10 µs; with samples every
 * 250 ms they leave half of the capacity unused and do not recover. So here the window follows the
 * measured drain rate, and only a factor beside it is controlled.
 *
 * <p>The delay seen is that of the task which has just ended: how long ago the log's end stood
 * where the count of ended tasks is now. It is measured on one clock. The delay to come is that of
 * the task admitted last: what is before it, at the present rate. After a change of the rate the
 * two are far apart.
 *
 * <p>[1] Cho et al.: Overload Control for µs-scale RPCs with Breakwater, OSDI 2020.
 */
public final class DelayWindow {
  /** How often it is to be told what happened. */
  public static final long SAMPLE_NANOS = 250_000_000L;

  private static final int RATES = 5;
  private static final int MARKS_MAX = 4_096;
  private static final double SECOND = 1e9;
  private static final double GROW = 1.25;
  private static final double CUT = 0.2;
  private static final double CUT_MOST = 0.5;
  private static final double FACTOR_MIN = 0.5;
  private static final double FACTOR_MAX = 8;
  private static final double SHARP_FALL = 0.5;
  private static final double BEYOND = 1.05;
  private static final double UNUSED = 0.8;

  private final double targetSeconds;
  private final double[] rates = new double[RATES];
  private final ArrayDeque<long[]> marks = new ArrayDeque<>();
  private int rateCount;
  private double factor = 1;
  private double rate;
  private double delaySeconds;
  private long lastFinished;
  private long lastNanos;
  private long lastWindow;
  private boolean begun;

  /**
   * @param targetNanos the delay that tasks should have; at least 1
   */
  public DelayWindow(long targetNanos) {
    if (targetNanos < 1) {
      throw new IllegalArgumentException("A delay target of " + targetNanos + " ns");
    }
    this.targetSeconds = targetNanos / SECOND;
  }

  /**
   * Tells what happened; to be called about every {@link #SAMPLE_NANOS}.
   *
   * @param finished tasks that have ended
   * @param appended records that the log has
   * @param used backlog and outstanding credit together
   * @param held whether producers wait
   * @param nowNanos when that was seen
   */
  public void sample(long finished, long appended, long used, boolean held, long nowNanos) {
    mark(appended, nowNanos);
    delaySeconds = delay(finished, nowNanos);
    if (!begun) {
      begun = true;
      lastFinished = finished;
      lastNanos = nowNanos;
      return;
    }
    double seconds = (nowNanos - lastNanos) / SECOND;
    if (seconds < SAMPLE_NANOS / SECOND * 0.8) {
      return;
    }
    double drained = Math.max(0, finished - lastFinished) / seconds;
    boolean busy = appended - finished > 0;
    lastFinished = finished;
    lastNanos = nowNanos;
    // Without a backlog the drain rate is only what arrived: that says how fast, not how slow.
    if (busy || held || drained > rate) {
      learn(drained);
    }
    // What is beyond the window already waits to be drained: a smaller window would not hasten
    // that, and would leave the queue empty afterwards. Nor does a larger one help that is not
    // used.
    boolean beyond = used > lastWindow * BEYOND;
    boolean unused = used < lastWindow * UNUSED;
    // The delay seen is that of a task admitted so long ago; the one to come is that of the last
    // task admitted. To cut, both must be too long, and to grow, both short: else a queue that has
    // just drained would be starved for what was admitted before, and an empty one flooded.
    double toCome = rate > 0 ? (appended - finished) / rate : delaySeconds;
    double sure = Math.min(delaySeconds, toCome);
    if (sure > targetSeconds && beyond) {
      return;
    }
    if (sure > targetSeconds) {
      double excess = (sure - targetSeconds) / targetSeconds;
      factor = Math.max(FACTOR_MIN, factor * Math.max(1 - CUT * excess, CUT_MOST));
    } else if (held && !unused && Math.max(delaySeconds, toCome) < targetSeconds / 2) {
      factor = Math.min(FACTOR_MAX, factor * GROW);
    } else {
      factor += (1 - factor) / 4;
    }
  }

  private void learn(double drained) {
    System.arraycopy(rates, 0, rates, 1, RATES - 1);
    rates[0] = drained;
    rateCount = Math.min(RATES, rateCount + 1);
    double[] sorted = Arrays.copyOf(rates, rateCount);
    Arrays.sort(sorted);
    double median = sorted[rateCount / 2];
    if (drained < median * SHARP_FALL) {
      Arrays.fill(rates, 0, rateCount, drained);
      median = drained;
    }
    if (median > rate && factor > 1) {
      // What was being tried has turned out to be the rate.
      factor = Math.max(1, factor * rate / median);
    }
    rate = median;
  }

  private void mark(long appended, long nowNanos) {
    long[] last = marks.peekLast();
    if (last == null || appended > last[0]) {
      marks.addLast(new long[] {appended, nowNanos});
      if (marks.size() > MARKS_MAX) {
        marks.removeFirst();
      }
    }
  }

  private double delay(long finished, long nowNanos) {
    long[] first = marks.peekFirst();
    while (first != null && first[0] <= finished) {
      marks.removeFirst();
      first = marks.peekFirst();
    }
    // The first unfinished task came at the latest when the log's end was first seen beyond it.
    return first == null ? 0 : Math.max(0, (nowNanos - first[1]) / SECOND);
  }

  /**
   * How large backlog and outstanding credit together should be.
   *
   * @param capacity the most
   * @param least what an idle queue may have at once
   * @param wayNanos how long credit is under way before it is backlog
   */
  public long window(long capacity, long least, long wayNanos) {
    double wanted = rateCount == 0 ? 0 : factor * rate * (targetSeconds + wayNanos / SECOND);
    lastWindow = Math.max(Math.min(least, capacity), (long) Math.min(wanted, capacity));
    return lastWindow;
  }

  /** Tasks that end per second. */
  public double drainRate() {
    return rate;
  }

  /** The present delay, in nanoseconds. */
  public long delayNanos() {
    return (long) (delaySeconds * SECOND);
  }

  /** The log is another one: what was seen of it says nothing any more. */
  public void reset() {
    marks.clear();
    begun = false;
    factor = 1;
  }
}
