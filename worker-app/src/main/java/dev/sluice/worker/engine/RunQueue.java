// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import org.jspecify.annotations.Nullable;

/** A queue of runs, linked through the runs themselves. A run is in one queue at most. */
final class RunQueue {
  private @Nullable TaskRun head;
  private @Nullable TaskRun tail;
  private int size;

  int size() {
    return size;
  }

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

  /** Drops the runs whose partition is gone, so that they do not pile up behind a closed limit. */
  void removeGone() {
    for (int rest = size; rest > 0; rest--) {
      TaskRun run = poll();
      if (run != null && !run.partition.gone()) {
        addLast(run);
      }
    }
  }

  /** Takes a run out of the middle; O(n), and for rare cases only. */
  void remove(TaskRun wanted) {
    for (int rest = size; rest > 0; rest--) {
      TaskRun run = poll();
      if (run != null && run != wanted) {
        addLast(run);
      }
    }
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
}
