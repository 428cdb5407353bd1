// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.share.FairClock;
import dev.sluice.queue.PrioritiesDefinition;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves the priorities of a queue by their weights. The turns are those of the whole queue: what
 * one handler starts counts for all of them. Where the most urgent one has nothing, or nothing that
 * may start, the next one is served.
 */
final class PriorityTurns implements ReadyTasks {
  private final Turns turns;
  private final ReadyTasks[] levels;
  private int size;

  /** Whose turn it is in one queue. */
  static final class Turns {
    private final FairClock clock = new FairClock();
    private final FairClock.Sharer[] sharers;

    /** How many runs of each are ready, with all handlers. */
    private final int[] ready;

    Turns(PrioritiesDefinition priorities) {
      sharers = new FairClock.Sharer[priorities.levels()];
      ready = new int[sharers.length];
      for (int level = 0; level < sharers.length; level++) {
        sharers[level] = new FairClock.Sharer(priorities.share(level));
      }
    }
  }

  PriorityTurns(Turns turns, Supplier<ReadyTasks> each) {
    this.turns = turns;
    this.levels = new ReadyTasks[turns.sharers.length];
    for (int level = 0; level < levels.length; level++) {
      levels[level] = each.get();
    }
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public void addLast(TaskRun run) {
    entered(run).addLast(run);
  }

  @Override
  public void addFirst(TaskRun run) {
    entered(run).addFirst(run);
  }

  @Override
  public void addReleased(TaskRun run) {
    entered(run).addReleased(run);
  }

  private ReadyTasks entered(TaskRun run) {
    int level = levelOf(run);
    if (turns.ready[level]++ == 0) {
      turns.clock.enter(turns.sharers[level]);
    }
    size++;
    return levels[level];
  }

  private int levelOf(TaskRun run) {
    return Math.min(run.level(), levels.length - 1);
  }

  @Override
  public @Nullable TaskRun poll(long nowNanos, boolean probe) {
    int tried = 0;
    while (true) {
      int next = next(tried);
      if (next < 0) {
        return null;
      }
      TaskRun run = levels[next].poll(nowNanos, probe);
      if (run != null) {
        turns.clock.serve(turns.sharers[next]);
        turns.ready[next]--;
        size--;
        return run;
      }
      tried |= 1 << next;
    }
  }

  /** The one whose turn it is among those with runs here; of equals the more urgent one. */
  private int next(int without) {
    int best = -1;
    for (int level = levels.length - 1; level >= 0; level--) {
      if (levels[level].size() > 0
          && (without & 1 << level) == 0
          && (best < 0 || turns.sharers[level].tag() < turns.sharers[best].tag())) {
        best = level;
      }
    }
    return best;
  }

  @Override
  public void takenBack(TaskRun run) {
    int level = levelOf(run);
    turns.clock.undo(turns.sharers[level]);
    levels[level].takenBack(run);
  }

  @Override
  public void ended(TaskRun run) {
    levels[levelOf(run)].ended(run);
  }

  @Override
  public long waitNanos(long nowNanos) {
    long least = Limit.UNTIL_RELEASE;
    for (ReadyTasks level : levels) {
      if (level.size() > 0) {
        least = Math.min(least, level.waitNanos(nowNanos));
      }
    }
    return least;
  }

  @Override
  public long urgency() {
    int next = next(0);
    return next < 0 ? Long.MAX_VALUE : turns.sharers[next].tag();
  }

  @Override
  public void removeGone() {
    for (int level = 0; level < levels.length; level++) {
      int before = levels[level].size();
      levels[level].removeGone();
      int gone = before - levels[level].size();
      size -= gone;
      turns.ready[level] -= gone;
    }
  }
}
