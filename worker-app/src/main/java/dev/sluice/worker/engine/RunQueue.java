// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import org.jspecify.annotations.Nullable;

/**
 * A queue of runs, oldest first as far as that is cheap to know: those that came from the topic are
 * in its order, those whose key became free are in the order in which that happened, and the older
 * of the two heads is next. A key with many tasks has old ones; behind everything that has come
 * since, each of them would wait its turn again, and the chain of that key would take longer than
 * its tasks do. Linked through the runs themselves: a run is in one queue at most.
 */
final class RunQueue {
  private final Line arrived = new Line();
  private final Line released = new Line();

  int size() {
    return arrived.size + released.size;
  }

  void addLast(TaskRun run) {
    arrived.addLast(run);
  }

  void addFirst(TaskRun run) {
    arrived.addFirst(run);
  }

  /** The task before it of its key has ended. */
  void addReleased(TaskRun run) {
    released.addLast(run);
  }

  @Nullable TaskRun poll() {
    TaskRun first = arrived.head;
    TaskRun freed = released.head;
    return first == null || freed != null && freed.age < first.age
        ? released.poll()
        : arrived.poll();
  }

  /** Drops the runs whose partition is gone, so that they do not pile up behind a closed limit. */
  void removeGone() {
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
