// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.ledger;

import java.util.Arrays;

/**
 * Offsets above a committed position that are done: sorted ranges, each with its first offset and
 * the one after its last. Immutable.
 */
public final class DoneRanges {
  /** No range. */
  public static final DoneRanges NONE = new DoneRanges(new long[0]);

  private final long[] bounds;

  /**
   * @param bounds first, end, first, end, ... strictly ascending
   */
  DoneRanges(long[] bounds) {
    this.bounds = bounds;
  }

  /** Whether this offset is done. O(log n). */
  public boolean contains(long offset) {
    int i = Arrays.binarySearch(bounds, offset);
    return i >= 0 ? i % 2 == 0 : -i % 2 == 0;
  }

  /** These with one before all of them. */
  public DoneRanges behind(long first, long end) {
    if (end <= first) {
      return this;
    }
    boolean joins = bounds.length > 0 && bounds[0] <= end;
    int skipped = joins ? 2 : 0;
    long[] more = new long[bounds.length - skipped + 2];
    more[0] = first;
    more[1] = joins ? Math.max(end, bounds[1]) : end;
    System.arraycopy(bounds, skipped, more, 2, bounds.length - skipped);
    return new DoneRanges(more);
  }

  /** The offset behind the last range, or {@link Long#MIN_VALUE}. */
  public long end() {
    return bounds.length == 0 ? Long.MIN_VALUE : bounds[bounds.length - 1];
  }

  /** The first offset from this one on that is in no range. */
  long firstUndone(long offset) {
    long at = offset;
    for (int i = 0; i < bounds.length && bounds[i] <= at; i += 2) {
      at = Math.max(at, bounds[i + 1]);
    }
    return at;
  }

  /**
   * Describes to an encoder what lies from {@code from} on, as far as it fits.
   *
   * @return the offset up to which was described
   */
  long describeBeyond(long from, LedgerCodec.Encoder encoder) {
    long at = from;
    for (int i = 0; i < bounds.length; i += 2) {
      if (bounds[i + 1] > at) {
        if (bounds[i] > at && !encoder.undone(at, bounds[i])) {
          return at;
        }
        if (!encoder.endsAt(bounds[i + 1])) {
          return Math.max(at, bounds[i]);
        }
        at = bounds[i + 1];
      }
    }
    return at;
  }

  /** How many offsets are in the ranges. */
  public long size() {
    long size = 0;
    for (int i = 0; i < bounds.length; i += 2) {
      size += bounds[i + 1] - bounds[i];
    }
    return size;
  }

  @Override
  public String toString() {
    return Arrays.toString(bounds);
  }
}
