// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import dev.sluice.Order;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * S3: walks the runs of each key, or of each partition, in the order in which they started.
 *
 * <p>Cost: one sort per key; besides the tables, memory for the tasks of one partition.
 */
final class OrderJudge {
  private final History history;
  private final CheckOptions options;
  private final Violations violations;
  private final Map<String, List<Disturbance>> disturbances = new HashMap<>();
  private long fencedOverlaps;

  // The group that is being judged: its offsets ascending, and its runs by start.
  private int[] offsets = new int[64];
  private int offsetCount;
  private int[] runs = new int[64];
  private int runCount;

  /** Runs that have begun and may still last. */
  private int[] active = new int[16];

  private int activeCount;

  OrderJudge(History history, CheckOptions options, Violations violations) {
    this.history = history;
    this.options = options;
    this.violations = violations;
    for (Disturbance each : options.disturbances()) {
      disturbances.computeIfAbsent(each.incarnation(), i -> new ArrayList<>()).add(each);
    }
  }

  /** Returns how many overlaps were fenced, which are no violations. */
  long judge() {
    if (options.order() != Order.NONE) {
      history.partitions.values().forEach(this::judge);
    }
    return fencedOverlaps;
  }

  private void judge(PartitionTable partition) {
    int[] known = partition.known().stream().toArray();
    if (options.order() == Order.PARTITION) {
      judgeGroup(partition, known, 0, known.length);
      return;
    }
    Integer[] byKey = Arrays.stream(known).boxed().toArray(Integer[]::new);
    Arrays.sort(
        byKey,
        (a, b) -> {
          int order = Long.compare(partition.key(a), partition.key(b));
          return order != 0 ? order : Integer.compare(a, b);
        });
    for (int i = 0; i < known.length; i++) {
      known[i] = byKey[i];
    }
    for (int from = 0, to; from < known.length; from = to) {
      long key = partition.key(known[from]);
      to = from + 1;
      while (to < known.length && partition.key(known[to]) == key) {
        to++;
      }
      if (key != PartitionTable.NO_KEY) {
        judgeGroup(partition, known, from, to);
      }
    }
  }

  private void judgeGroup(PartitionTable partition, int[] from, int begin, int end) {
    offsetCount = end - begin;
    offsets = Arrays.copyOfRange(from, begin, end);
    collectRuns(partition);
    // endedBefore[i]: when the last of the offsets before the i-th had its first terminal record.
    long[] endedBefore = new long[offsetCount];
    for (int i = 1; i < offsetCount; i++) {
      endedBefore[i] = Math.max(endedBefore[i - 1], partition.firstTerminal(offsets[i - 1]));
    }
    activeCount = 0;
    int previousRank = -1;
    for (int i = 0; i < runCount; i++) {
      int run = runs[i];
      int rank = Arrays.binarySearch(offsets, 0, offsetCount, (int) history.runs.offset(run));
      judgeOverlap(run);
      if (rank > 0 && history.runs.start(run) < endedBefore[rank]) {
        tooEarly(partition, run, rank);
      } else if (rank > previousRank + 1) {
        violations.add(
            Rule.SWAP,
            history.describe(run)
                + " followed a run of offset "
                + (previousRank < 0 ? "none" : String.valueOf(offsets[previousRank]))
                + " and left out offset "
                + offsets[previousRank + 1]);
      } else if (i > 0 && rank < previousRank) {
        judgeStepBack(runs[i - 1], run);
      }
      previousRank = rank;
    }
  }

  private void collectRuns(PartitionTable partition) {
    runCount = 0;
    for (int i = 0; i < offsetCount; i++) {
      for (int run = partition.firstRun(offsets[i]); run >= 0; run = history.runs.next(run)) {
        if (runCount == runs.length) {
          runs = Arrays.copyOf(runs, runCount * 2);
        }
        runs[runCount++] = run;
      }
    }
    history.runs.sortByStart(runs, 0, runCount);
  }

  private void tooEarly(PartitionTable partition, int run, int rank) {
    for (int i = 0; i < rank; i++) {
      long ended = partition.firstTerminal(offsets[i]);
      if (history.runs.start(run) < ended) {
        violations.add(
            Rule.SWAP,
            history.describe(run)
                + " started before offset "
                + offsets[i]
                + (ended == PartitionTable.NEVER ? ", which never ended" : " ended at " + ended));
        return;
      }
    }
  }

  /** A replay begins anew only where the partition was assigned anew. */
  private void judgeStepBack(int before, int run) {
    RunTable table = history.runs;
    if (table.incarnation(before) != table.incarnation(run)
        || disturbedBetween(before, run)
        || workedElsewhereBetween(before, run)) {
      return;
    }
    violations.add(
        Rule.SWAP,
        history.describe(run)
            + " ran again after "
            + history.describe(before)
            + " though the worker had kept the partition");
  }

  private boolean disturbedBetween(int before, int run) {
    List<Disturbance> all = new ArrayList<>(disturbancesOf(before));
    all.addAll(disturbances.getOrDefault(Disturbance.ALL, List.of()));
    for (Disturbance each : all) {
      if (each.fromMono() <= history.runs.start(run)
          && each.toMono() >= history.runs.start(before)) {
        return true;
      }
    }
    return false;
  }

  private boolean workedElsewhereBetween(int before, int run) {
    RunTable table = history.runs;
    for (int other = 0; other < table.size(); other++) {
      if (table.partition(other) == table.partition(run)
          && table.incarnation(other) != table.incarnation(run)
          && table.start(other) >= table.start(before)
          && table.start(other) <= table.start(run)) {
        return true;
      }
    }
    return false;
  }

  private void judgeOverlap(int run) {
    RunTable table = history.runs;
    int kept = 0;
    for (int i = 0; i < activeCount; i++) {
      int earlier = active[i];
      if (table.end(earlier) <= table.start(run)) {
        continue;
      }
      active[kept++] = earlier;
      if (table.incarnation(earlier) != table.incarnation(run) && fenced(earlier)) {
        fencedOverlaps++;
      } else {
        violations.add(Rule.OVERLAP, history.describe(earlier) + " and " + history.describe(run));
      }
    }
    activeCount = kept;
    if (activeCount == active.length) {
      active = Arrays.copyOf(active, activeCount * 2);
    }
    active[activeCount++] = run;
  }

  /** Whether what came of the run was dropped, or it stood still while its partition moved on. */
  private boolean fenced(int run) {
    if (history.runs.ending(run).fenced()) {
      return true;
    }
    for (Disturbance each : disturbancesOf(run)) {
      if (each.cuts(history.runs.start(run), history.runs.end(run))) {
        return true;
      }
    }
    return false;
  }

  private List<Disturbance> disturbancesOf(int run) {
    return disturbances.getOrDefault(
        history.incarnations.get(history.runs.incarnation(run)), List.of());
  }
}
