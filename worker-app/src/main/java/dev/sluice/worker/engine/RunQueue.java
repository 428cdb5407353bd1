// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.flow.limit.Limit;
import org.jspecify.annotations.Nullable;

/**
 * A queue of runs, oldest first as far as that is cheap to know: those that came from the topic are
 * in its order, those whose key became free are in the order in which that happened, and the older
 * of the two heads is next. A key with many tasks has old ones; behind everything that has come
 * since, each of them would wait its turn again, and the chain of that key would take longer than
 * its tasks do. Linked through the runs themselves: a run is in one queue at most.
 */
final class RunQueue implements ReadyTasks {
  private final Line arrived = new Line();
  private final Line released = new Line();

  @Override
  public int size() {
    return arrived.size + released.size;
  }

  @Override
  public void addLast(TaskRun run) {
    arrived.addLast(run);
  }

  @Override
  public void addFirst(TaskRun run) {
    arrived.addFirst(run);
  }

  @Override
  public void addReleased(TaskRun run) {
    released.addLast(run);
  }

  @Override
  public @Nullable TaskRun poll(long nowNanos, boolean probe) {
    return poll(probe);
  }

  @Nullable TaskRun poll(boolean probe) {
    return probe ? pollProbe() : poll();
  }

  private @Nullable TaskRun pollProbe() {
    TaskRun first = arrived.bestProbe();
    TaskRun freed = released.bestProbe();
    TaskRun best = Probe.better(first, freed);
    if (best != null) {
      (best == first ? arrived : released).remove(best);
    }
    return best;
  }

  @Override
  public void takenBack(TaskRun run) {}

  @Override
  public void ended(TaskRun run) {}

  @Override
  public long waitNanos(long nowNanos) {
    return Limit.UNTIL_RELEASE;
  }

  @Override
  public long urgency() {
    return 0;
  }

  @Nullable TaskRun poll() {
    TaskRun first = arrived.head;
    TaskRun freed = released.head;
    return first == null || freed != null && freed.age < first.age
        ? released.poll()
        : arrived.poll();
  }

  @Override
  public void removeGone() {
    arrived.removeGone();
    released.removeGone();
  }

  /** Takes a run out of the middle; O(n), and for rare cases only. */
  void remove(TaskRun wanted) {
    arrived.remove(wanted);
    released.remove(wanted);
  }

  private static final class Line {
    private @Nullable TaskRun head;
    private @Nullable TaskRun tail;
    private int size;

    void addLast(TaskRun run) {
      TaskRun last = tail;
      if (last == null) {
        head = run;
      } else {
        last.nextInQueue = run;
      }
      tail = run;
      size++;
    }

    void addFirst(TaskRun run) {
      run.nextInQueue = head;
      head = run;
      if (tail == null) {
        tail = run;
      }
      size++;
    }

    @Nullable TaskRun poll() {
      TaskRun first = head;
      if (first != null) {
        head = first.nextInQueue;
        first.nextInQueue = null;
        if (head == null) {
          tail = null;
        }
        size--;
      }
      return first;
    }

    @Nullable TaskRun bestProbe() {
      TaskRun best = head;
      TaskRun run = head;
      for (int looked = 0; run != null && looked < Probe.LOOK_MAX; looked++) {
        if (best != null && Probe.rank(run) < Probe.rank(best)) {
          best = run;
        }
        run = run.nextInQueue;
      }
      return best;
    }

    void removeGone() {
      for (int rest = size; rest > 0; rest--) {
        TaskRun run = poll();
        if (run != null && !run.partition.gone()) {
          addLast(run);
        }
      }
    }

    void remove(TaskRun wanted) {
      for (int rest = size; rest > 0; rest--) {
        TaskRun run = poll();
        if (run != null && run != wanted) {
          addLast(run);
        }
      }
    }
  }
}
