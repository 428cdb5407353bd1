// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The tasks of one partition that stand behind a task of their key that waits for its next attempt,
 * and of which only the place is kept: in the ledger, in the line of their key, and here by number.
 * Their records stay in the log, where they are safe, and are read again when their key is free. So
 * a key that is held back for hours takes no room in the lane, and others go on. Not thread-safe.
 */
final class Shelf {
  /** What a task costs whose record was forgotten. */
  static final int BYTES = 256;

  private final int capacity;
  private final TreeMap<Long, TaskRun> wanted = new TreeMap<>();
  private int size;

  /** Whether something came behind a key, or waits anew, since the last look for what to shelve. */
  boolean worthALook;

  Shelf(int capacity) {
    this.capacity = capacity;
  }

  boolean hasRoom() {
    return size < capacity;
  }

  int size() {
    return size;
  }

  void add() {
    size++;
  }

  /** To be read again. */
  void want(TaskRun run) {
    wanted.put(run.offset(), run);
  }

  boolean wants(TaskRun run) {
    return wanted.get(run.offset()) == run;
  }

  /** It was read again, or never will be. */
  void unwant(TaskRun run) {
    wanted.remove(run.offset());
  }

  void remove() {
    size--;
  }

  boolean wantsSome() {
    return !wanted.isEmpty();
  }

  /** The lowest offset to be read again; -1 if there is none. */
  long wantedFrom() {
    return wanted.isEmpty() ? -1 : wanted.firstKey();
  }

  @Nullable TaskRun wantedAt(long offset) {
    return wanted.get(offset);
  }

  /** What is to be read again of these offsets, the second one excluded. */
  Collection<TaskRun> wantedIn(long from, long to) {
    return from >= to || wanted.isEmpty()
        ? List.of()
        : List.copyOf(wanted.subMap(from, to).values());
  }
}
