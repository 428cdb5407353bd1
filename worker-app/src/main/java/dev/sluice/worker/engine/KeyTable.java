// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import org.jspecify.annotations.Nullable;

/**
 * The last run of each key that has an unfinished one, by the key's hash: open addressing with
 * linear probing and deletion by shifting back, so that a task costs no entry object. The hashes
 * lie side by side, so that looking for one touches no run but the one that is found. Holds at most
 * as many runs as the lanes do.
 */
final class KeyTable {
  /** What the hash of an empty slot is. */
  private static final long EMPTY = 0;

  private long[] hashes = new long[64];
  private @Nullable TaskRun[] slots = new TaskRun[64];
  private int size;

  int size() {
    return size;
  }

  /** Makes a run the last of its key, and returns the one that was. */
  @Nullable TaskRun putLast(TaskRun run) {
    long hash = hash(run);
    int at = find(hash);
    TaskRun last = slots[at];
    slots[at] = run;
    if (last == null) {
      hashes[at] = hash;
      if (++size * 2 > slots.length) {
        grow();
      }
    }
    return last;
  }

  /** Forgets the key of a run if that run is its last. */
  void removeIfLast(TaskRun run) {
    int at = find(hash(run));
    if (slots[at] != run) {
      return;
    }
    size--;
    int mask = hashes.length - 1;
    int hole = at;
    for (int i = hole + 1 & mask; hashes[i] != EMPTY; i = i + 1 & mask) {
      int home = home(hashes[i], mask);
      if ((i - home & mask) >= (i - hole & mask)) {
        hashes[hole] = hashes[i];
        slots[hole] = slots[i];
        hole = i;
      }
    }
    hashes[hole] = EMPTY;
    slots[hole] = null;
  }

  private int find(long hash) {
    int mask = hashes.length - 1;
    int at = home(hash, mask);
    while (hashes[at] != hash && hashes[at] != EMPTY) {
      at = at + 1 & mask;
    }
    return at;
  }

  /** Two keys of one hash are one key here: their tasks wait for each other. */
  private static long hash(TaskRun run) {
    return run.keyHash == EMPTY ? 1 : run.keyHash;
  }

  private static int home(long hash, int mask) {
    return (int) (hash >>> 32 ^ hash) & mask;
  }

  private void grow() {
    long[] old = hashes;
    @Nullable TaskRun[] runs = slots;
    hashes = new long[old.length * 2];
    slots = new TaskRun[old.length * 2];
    for (int i = 0; i < old.length; i++) {
      if (old[i] != EMPTY) {
        int at = find(old[i]);
        hashes[at] = old[i];
        slots[at] = runs[i];
      }
    }
  }
}
