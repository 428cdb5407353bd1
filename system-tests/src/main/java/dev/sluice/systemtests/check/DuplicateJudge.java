// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** S2: finds which runs were duplicates, what explains each, and whether the bounds were kept. */
final class DuplicateJudge {
  private static final class Tally {
    final Disturbance disturbance;
    long inFlight;
    long completedInWindow;
    long completedSinceSample;
    long duplicates;

    Tally(Disturbance disturbance) {
      this.disturbance = disturbance;
    }
  }

  private final History history;
  private final CheckOptions options;
  private final Violations violations;
  private final List<Tally> tallies = new ArrayList<>();
  private final List<Tally> outages = new ArrayList<>();
  private final Map<String, List<Tally>> byIncarnation = new HashMap<>();
  private final List<String> unexplained = new ArrayList<>();
  private long unexplainedCount;
  private long outlived;
  private long interrupted;
  private long retries;

  DuplicateJudge(History history, CheckOptions options, Violations violations) {
    this.history = history;
    this.options = options;
    this.violations = violations;
    for (Disturbance each : options.disturbances()) {
      Tally tally = new Tally(each);
      tallies.add(tally);
      if (each.kind() == Disturbance.Kind.OUTAGE) {
        outages.add(tally);
        continue;
      }
      byIncarnation.computeIfAbsent(each.incarnation(), i -> new ArrayList<>()).add(tally);
    }
  }

  DuplicateFigures judge() {
    for (int run = 0; run < history.runs.size(); run++) {
      countUncommitted(run);
    }
    int[] several = new int[16];
    for (PartitionTable partition : history.partitions.values()) {
      for (int at = partition.known().nextSetBit(0);
          at >= 0;
          at = partition.known().nextSetBit(at + 1)) {
        int count = 0;
        for (int run = partition.firstRun(at); run >= 0; run = history.runs.next(run)) {
          if (count == several.length) {
            several = Arrays.copyOf(several, count * 2);
          }
          several[count++] = run;
        }
        if (count > 1) {
          history.runs.sortByStart(several, 0, count);
          for (int i = 1; i < count; i++) {
            ranAgain(several[i - 1], several[i]);
          }
        }
      }
    }
    return conclude();
  }

  /** What may run again after a disturbance: in flight then, or completed shortly before. */
  private void countUncommitted(int run) {
    RunTable runs = history.runs;
    for (Tally outage : outages) {
      if (runs.ending(run).terminal() && during(outage, run)) {
        outage.completedInWindow++;
      } else if (runs.start(run) <= outage.disturbance.toMono() && during(outage, run)) {
        outage.inFlight++;
      }
    }
    List<Tally> ofWorker = byIncarnation.get(history.incarnations.get(runs.incarnation(run)));
    if (ofWorker == null) {
      return;
    }
    for (Tally tally : ofWorker) {
      long at = tally.disturbance.fromMono();
      boolean cut =
          runs.ending(run) == Ending.OPEN
              ? runs.start(run) <= at || tally.disturbance.kind() == Disturbance.Kind.KILL
              : runs.start(run) <= at && runs.end(run) > at;
      if (cut) {
        tally.inFlight++;
      } else if (runs.ending(run).terminal() && runs.end(run) <= at) {
        tally.completedSinceSample += runs.end(run) > tally.disturbance.sampledMono() ? 1 : 0;
        if (runs.end(run) >= at - options.commitWindow().toNanos()) {
          tally.completedInWindow++;
        }
      }
    }
  }

  private void ranAgain(int before, int again) {
    Ending ending = history.runs.ending(before);
    if (ending == Ending.FAILED) {
      retries++;
      return;
    }
    Tally cause = cause(before, ending);
    if (cause != null) {
      cause.duplicates++;
    } else if (ending == Ending.STALE) {
      outlived++;
    } else if (ending == Ending.INTERRUPTED) {
      interrupted++;
    } else {
      unexplainedCount++;
      if (unexplained.size() < 20) {
        unexplained.add(history.describe(before) + ", then " + history.describe(again));
      }
    }
  }

  /** Whether a run ended when no commit could cover it. */
  private boolean during(Tally outage, int run) {
    long end = history.runs.end(run);
    return end >= outage.disturbance.fromMono() - options.commitWindow().toNanos()
        && end <= outage.disturbance.toMono();
  }

  private @Nullable Tally cause(int before, Ending ending) {
    RunTable runs = history.runs;
    for (Tally outage : outages) {
      if (during(outage, before)) {
        return outage;
      }
    }
    List<Tally> ofWorker = byIncarnation.get(history.incarnations.get(runs.incarnation(before)));
    if (ofWorker == null) {
      return null;
    }
    for (Tally tally : ofWorker) {
      Disturbance each = tally.disturbance;
      boolean explains =
          ending.fenced()
              ? each.cuts(runs.start(before), runs.end(before))
              : runs.start(before) <= each.fromMono()
                  || ending == Ending.OPEN && each.kind() == Disturbance.Kind.KILL;
      if (explains) {
        return tally;
      }
    }
    return null;
  }

  private DuplicateFigures conclude() {
    List<DisturbanceFigures> figures = new ArrayList<>();
    long total = unexplainedCount + outlived;
    for (Tally tally : tallies) {
      long known = tally.disturbance.uncommitted();
      long uncommitted =
          Math.max(tally.completedInWindow, known < 0 ? 0 : known + tally.completedSinceSample);
      long bound = tally.inFlight + uncommitted;
      figures.add(
          new DisturbanceFigures(
              tally.disturbance.kind(),
              tally.disturbance.incarnation(),
              tally.inFlight,
              tally.completedInWindow,
              tally.duplicates,
              bound));
      total += tally.duplicates;
      if (tally.duplicates > bound) {
        violations.add(
            Rule.DUPLICATES_OVER_BOUND,
            tally.duplicates
                + " tasks ran again after the "
                + tally.disturbance.kind()
                + " of "
                + tally.disturbance.incarnation()
                + ", where "
                + tally.inFlight
                + " were in flight and "
                + tally.completedInWindow
                + " had completed in the commit window of "
                + options.commitWindow().toMillis()
                + " ms"
                + (known < 0 ? "" : "; no commit covered " + uncommitted));
      }
    }
    if (unexplainedCount > options.unexplainedMax()) {
      violations.add(
          Rule.UNEXPLAINED_DUPLICATES,
          unexplainedCount
              + " tasks ran again though nothing was done to their worker, at most "
              + options.unexplainedMax()
              + " may; the first: "
              + unexplained.get(0));
    }
    return new DuplicateFigures(
        total, unexplainedCount, outlived, interrupted, retries, figures, unexplained);
  }
}
