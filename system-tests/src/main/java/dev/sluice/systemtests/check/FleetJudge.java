// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import dev.sluice.history.HistoryEvent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Judges the histories of all workers of a fleet together, by S4: no window with more starts than
 * {@code burst + 1.02 * rate * w}, never more tasks at once than the concurrency. The monotonic
 * times of processes of one machine are comparable.
 *
 * <p>A run without an end lasts until its process was killed, where that is known, else until the
 * last line that its process wrote.
 */
public final class FleetJudge {
  private static final double DRIFT = 1.02;
  private static final double ROUNDING = 1e-6;

  private FleetJudge() {}

  /**
   * Judges files, one or more per worker.
   *
   * @param kills what was done to the workers; only kills matter here
   */
  public static FleetFigures judge(List<Path> files, FleetLimits limits, List<Disturbance> kills) {
    Times starts = new Times();
    List<long[]> changes = new ArrayList<>();
    Map<String, Long> by = new TreeMap<>();
    for (Path file : files) {
      read(file, kills, starts, changes, by);
    }
    long[] at = starts.sorted();
    double over = limits.rate() > 0 ? over(at, limits) : Double.NEGATIVE_INFINITY;
    long most = concurrent(changes);
    List<String> violations = new ArrayList<>();
    if (over > ROUNDING) {
      violations.add(
          String.format(
              Locale.ROOT,
              "S4: a window has %.3f starts more than %s/s with a burst of %d allow",
              over,
              limits.rate(),
              limits.burst()));
    }
    if (limits.concurrency() > 0 && most > limits.concurrency()) {
      violations.add("S4: " + most + " tasks ran at once where " + limits.concurrency() + " may");
    }
    double seconds = at.length < 2 ? 0 : (at[at.length - 1] - at[0]) / 1e9;
    return new FleetFigures(
        at.length,
        seconds,
        seconds == 0 ? 0 : at.length / seconds,
        window(at, 100_000_000L),
        window(at, 1_000_000_000L),
        window(at, 10_000_000_000L),
        at.length == 0 || limits.rate() == 0 ? -limits.burst() : over,
        most,
        by,
        violations);
  }

  /** When the attempts in these files began, in order; nanoseconds of the monotonic clock. */
  public static long[] starts(List<Path> files) {
    Times starts = new Times();
    for (Path file : files) {
      read(file, List.of(), starts, new ArrayList<>(), new TreeMap<>());
    }
    return starts.sorted();
  }

  private static void read(
      Path file,
      List<Disturbance> kills,
      Times starts,
      List<long[]> changes,
      Map<String, Long> by) {
    Map<String, long[]> open = new HashMap<>();
    long[] last = new long[1];
    String[] incarnation = new String[1];
    boolean ignored =
        HistoryReader.read(
            file,
            line -> {
              incarnation[0] = line.incarnation();
              last[0] = Math.max(last[0], line.mono());
              String run = line.id() + "/" + line.partition() + "/" + line.offset();
              if (line.event() == HistoryEvent.START) {
                starts.add(line.mono());
                by.merge(String.valueOf(file.getFileName()), 1L, Long::sum);
                changes.add(new long[] {line.mono(), 1});
                open.put(run, new long[] {line.mono()});
              } else if (open.remove(run) != null) {
                changes.add(new long[] {line.mono(), -1});
              }
            });
    long end = last[0];
    for (Disturbance each : kills) {
      if (each.kind() == Disturbance.Kind.KILL && each.incarnation().equals(incarnation[0])) {
        end = Math.max(last[0], each.fromMono());
      }
    }
    for (int i = 0; i < open.size(); i++) {
      changes.add(new long[] {end, -1});
    }
  }

  /** The worst window begins and ends at a start; one pass with the best beginning so far. */
  private static double over(long[] at, FleetLimits limits) {
    double perNano = DRIFT * limits.rate() / 1e9;
    double worst = Double.NEGATIVE_INFINITY;
    double best = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < at.length; i++) {
      double earned = perNano * (at[i] - at[0]);
      best = Math.max(best, earned - i);
      worst = Math.max(worst, i + 1 - earned + best - limits.burst());
    }
    return worst;
  }

  private static long window(long[] at, long nanos) {
    int most = 0;
    int first = 0;
    for (int i = 0; i < at.length; i++) {
      while (at[i] - at[first] > nanos) {
        first++;
      }
      most = Math.max(most, i - first + 1);
    }
    return most;
  }

  private static long concurrent(List<long[]> changes) {
    // Where one ends and another begins at the same nanosecond, the end was first.
    changes.sort((a, b) -> a[0] == b[0] ? Long.compare(a[1], b[1]) : Long.compare(a[0], b[0]));
    long now = 0;
    long most = 0;
    for (long[] change : changes) {
      now += change[1];
      most = Math.max(most, now);
    }
    return most;
  }

  private static final class Times {
    private long[] values = new long[1_024];
    private int size;

    void add(long value) {
      if (size == values.length) {
        values = Arrays.copyOf(values, size * 2);
      }
      values[size++] = value;
    }

    long[] sorted() {
      long[] all = Arrays.copyOf(values, size);
      Arrays.sort(all);
      return all;
    }
  }
}
