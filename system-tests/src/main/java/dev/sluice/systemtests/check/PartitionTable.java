// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import java.util.Arrays;
import java.util.BitSet;

/** What is known of the offsets of one partition, in arrays by offset. */
final class PartitionTable {
  /** No terminal record was seen. */
  static final long NEVER = Long.MAX_VALUE;

  /** Stands for the absent key, which takes part in no order by key. */
  static final long NO_KEY = 0;

  /** Offsets are dense in a topic of a test; far more than that is a mistake in the file. */
  private static final long OFFSET_MAX = 200_000_000;

  private final BitSet known = new BitSet();
  private final BitSet accepted = new BitSet();
  private long[] key = new long[1024];
  private long[] firstTerminal = new long[1024];
  private int[] firstRun = new int[1024];

  PartitionTable() {
    Arrays.fill(firstTerminal, NEVER);
    Arrays.fill(firstRun, -1);
  }

  /** An offset was named; returns it as an index. */
  int know(long offset, long keyHash) {
    if (offset > OFFSET_MAX) {
      throw new HistoryFormatException(
          "Offset " + offset + " is above " + OFFSET_MAX + ", the most that the checker holds",
          null);
    }
    int at = (int) offset;
    if (at >= key.length) {
      int to = Math.max(at + 1, key.length + (key.length >> 1));
      int from = key.length;
      key = Arrays.copyOf(key, to);
      firstTerminal = Arrays.copyOf(firstTerminal, to);
      firstRun = Arrays.copyOf(firstRun, to);
      Arrays.fill(firstTerminal, from, to, NEVER);
      Arrays.fill(firstRun, from, to, -1);
    }
    known.set(at);
    key[at] = keyHash;
    return at;
  }

  void accept(long offset, long keyHash) {
    accepted.set(know(offset, keyHash));
  }

  void terminal(int at, long mono) {
    firstTerminal[at] = Math.min(firstTerminal[at], mono);
  }

  void addRun(int at, int run, RunTable runs) {
    runs.link(run, firstRun[at]);
    firstRun[at] = run;
  }

  BitSet known() {
    return known;
  }

  BitSet accepted() {
    return accepted;
  }

  long key(int at) {
    return key[at];
  }

  /** When the first terminal record of the offset was written, or {@link #NEVER}. */
  long firstTerminal(int at) {
    return firstTerminal[at];
  }

  /** The run of the offset that was read last, the head of a list, or -1. */
  int firstRun(int at) {
    return firstRun[at];
  }
}
