// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import org.jspecify.annotations.Nullable;

/**
 * The last run of each key that has an unfinished one, by the key's hash: open addressing with
 * linear probing and deletion by shifting back, so that a task costs no entry object. Holds at most
 * as many runs as the lanes do.
 */
final class KeyTable {
  private @Nullable TaskRun[] slots = new TaskRun[64];
  private int size;

  int size() {
    return size;
  }

  /** Makes a run the last of its key, and returns the one that was. */
  @Nullable TaskRun putLast(TaskRun run) {
    int at = find(run.keyHash);
    TaskRun last = slots[at];
    slots[at] = run;
    if (last == null && ++size * 2 > slots.length) {
      grow();
    }
    return last;
  }

  /** Forgets the key of a run if that run is its last. */
  void removeIfLast(TaskRun run) {
    int at = find(run.keyHash);
    if (slots[at] != run) {
      return;
    }
    size--;
    int mask = slots.length - 1;
    int hole = at;
    for (int i = hole + 1 & mask; ; i = i + 1 & mask) {
      TaskRun moved = slots[i];
      if (moved == null) {
        break;
      }
      int home = home(moved.keyHash, mask);
      if ((i - home & mask) >= (i - hole & mask)) {
        slots[hole] = moved;
        hole = i;
      }
    }
    slots[hole] = null;
  }

  private int find(long hash) {
    int mask = slots.length - 1;
    int at = home(hash, mask);
    while (true) {
      TaskRun run = slots[at];
      if (run == null || run.keyHash == hash) {
        return at;
      }
      at = at + 1 & mask;
    }
  }

  private static int home(long hash, int mask) {
    return (int) (hash >>> 32 ^ hash) & mask;
  }

  private void grow() {
    @Nullable TaskRun[] old = slots;
    slots = new TaskRun[old.length * 2];
    for (TaskRun run : old) {
      if (run != null) {
        slots[find(run.keyHash)] = run;
      }
    }
  }
}
