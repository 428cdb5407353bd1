// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import java.util.Arrays;

/** All runs of all tasks, in columns: about 40 bytes for each, so that millions fit. */
final class RunTable {
  private int size;
  private int[] partition = new int[1024];
  private long[] offset = new long[1024];
  private int[] incarnation = new int[1024];
  private long[] start = new long[1024];
  private long[] end = new long[1024];
  private byte[] ending = new byte[1024];
  private int[] next = new int[1024];

  /** Adds a run that has not ended; returns its number. */
  int add(int ofPartition, long atOffset, int byIncarnation, long startMono) {
    if (size == partition.length) {
      grow(size + (size >> 1));
    }
    partition[size] = ofPartition;
    offset[size] = atOffset;
    incarnation[size] = byIncarnation;
    start[size] = startMono;
    end[size] = startMono;
    ending[size] = (byte) Ending.OPEN.ordinal();
    next[size] = -1;
    return size++;
  }

  private void grow(int to) {
    partition = Arrays.copyOf(partition, to);
    offset = Arrays.copyOf(offset, to);
    incarnation = Arrays.copyOf(incarnation, to);
    start = Arrays.copyOf(start, to);
    end = Arrays.copyOf(end, to);
    ending = Arrays.copyOf(ending, to);
    next = Arrays.copyOf(next, to);
  }

  void end(int run, Ending how, long mono) {
    ending[run] = (byte) how.ordinal();
    end[run] = mono;
  }

  /** A run that was cut off lasted until its process ended at the latest. */
  void cutAt(int run, long mono) {
    end[run] = Math.max(start[run], mono);
  }

  void link(int run, int following) {
    next[run] = following;
  }

  int size() {
    return size;
  }

  int partition(int run) {
    return partition[run];
  }

  long offset(int run) {
    return offset[run];
  }

  int incarnation(int run) {
    return incarnation[run];
  }

  long start(int run) {
    return start[run];
  }

  long end(int run) {
    return end[run];
  }

  Ending ending(int run) {
    return Ending.of(ending[run]);
  }

  /** Another run of the same offset, or -1. */
  int next(int run) {
    return next[run];
  }

  /** Sorts runs by when they started, those of equal time by their order in the files. */
  void sortByStart(int[] runs, int from, int to) {
    Integer[] boxed = new Integer[to - from];
    for (int i = from; i < to; i++) {
      boxed[i - from] = runs[i];
    }
    Arrays.sort(
        boxed,
        (a, b) -> {
          int byStart = Long.compare(start[a], start[b]);
          return byStart != 0 ? byStart : Integer.compare(a, b);
        });
    for (int i = from; i < to; i++) {
      runs[i] = boxed[i - from];
    }
  }
}
