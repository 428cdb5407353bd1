// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.ledger;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is done of one partition, gaps included. It keeps what is <em>not</em> done: the entries
 * that were accepted and are unfinished form a list in the order of their offsets, so that
 * finishing one is O(1), memory is bounded by the lane however far the tasks behind a stuck one
 * get, and offsets that do not exist (transaction markers, compaction) need no care: they are
 * simply not undone.
 *
 * <p>It also counts the completions that no acknowledged commit covers yet; these would run again
 * after a crash. Not thread-safe.
 */
public final class Ledger {
  /** One accepted record, in the list while it is not done. To be extended. */
  public abstract static class Entry {
    private final long offset;
    private long sequence;
    private @Nullable Entry before;
    private @Nullable Entry after;
    private boolean open;
    private boolean settled;

    protected Entry(long offset) {
      this.offset = offset;
    }

    /** The offset of the record. */
    public final long offset() {
      return offset;
    }

    /** The next unfinished entry, or null. */
    public final @Nullable Entry after() {
      return after;
    }
  }

  private final DoneRanges restored;
  private @Nullable Entry head;
  private @Nullable Entry tail;
  private long nextOffset;
  private long accepted;
  private long done;
  private long committed;
  private long committedPosition;
  private int undone;
  private int settled;

  /**
   * @param position the offset from which records are read
   * @param committedPosition the offset that is committed; negative where there is none, which
   *     makes the position itself news
   * @param restored what was done above the position before this assignment; it is committed again
   *     until reading has passed it
   */
  public Ledger(long position, long committedPosition, DoneRanges restored) {
    this.nextOffset = position;
    this.committedPosition = committedPosition;
    this.restored = restored;
  }

  /** Whether this offset was done before this assignment; such a record is skipped. */
  public boolean wasDone(long offset) {
    return offset < restored.end() && restored.contains(offset);
  }

  /**
   * A record was read and is to be worked.
   *
   * @throws IllegalArgumentException if its offset is below one that was seen
   */
  public void accept(Entry entry) {
    if (entry.offset < nextOffset) {
      throw new IllegalArgumentException(
          "Offset " + entry.offset + " came after " + (nextOffset - 1) + " was seen");
    }
    nextOffset = entry.offset + 1;
    entry.sequence = accepted++;
    entry.open = true;
    undone++;
    Entry last = tail;
    if (last == null) {
      head = entry;
    } else {
      last.after = entry;
      entry.before = last;
    }
    tail = entry;
  }

  /** Everything below this offset was seen: what was not accepted of it needs no work. */
  public void seenUpTo(long offset) {
    nextOffset = Math.max(nextOffset, offset);
  }

  /**
   * An entry is finished.
   *
   * @throws IllegalStateException if it was finished before
   */
  public void done(Entry entry) {
    if (!entry.open) {
      throw new IllegalStateException("Offset " + entry.offset + " was finished twice");
    }
    unsettle(entry);
    entry.open = false;
    undone--;
    done++;
    Entry previous = entry.before;
    Entry next = entry.after;
    if (previous == null) {
      head = next;
    } else {
      previous.after = next;
    }
    if (next == null) {
      tail = previous;
    } else {
      next.before = previous;
    }
    entry.before = null;
    entry.after = null;
  }

  /**
   * An entry is not finished yet, but will be by the commit of the next snapshot, which counts it
   * as done.
   */
  public void settle(Entry entry) {
    if (entry.open && !entry.settled) {
      entry.settled = true;
      settled++;
    }
  }

  /** That commit did not come about. */
  public void unsettle(Entry entry) {
    if (entry.settled) {
      entry.settled = false;
      settled--;
    }
  }

  /** Everything below this offset was accepted or needs no work. */
  public long seen() {
    return nextOffset;
  }

  /** The first unfinished entry, or null. */
  public @Nullable Entry first() {
    return head;
  }

  /** The number of unfinished entries. */
  public int undone() {
    return undone;
  }

  /** The offset to commit: everything below it is done. */
  public long position() {
    return head == null ? restored.firstUndone(nextOffset) : head.offset;
  }

  /** Whether the position itself is committed: only what is done above it may not be covered. */
  public boolean positionCommitted() {
    return position() == committedPosition;
  }

  /** Completions that no acknowledged commit covers. */
  public long uncommitted() {
    return done - committed;
  }

  /** Whether a snapshot would say more than the last acknowledged one. */
  public boolean hasNews() {
    return done > committed || !positionCommitted();
  }

  /**
   * What is done now, to be committed.
   *
   * @param metadataBytesMax the most bytes that the metadata may have
   */
  public LedgerSnapshot snapshot(int metadataBytesMax) {
    Entry oldest = head;
    if (oldest != null && nothingIsDoneBehind(oldest)) {
      return new LedgerSnapshot(oldest.offset, "", done, true);
    }
    Entry first = unsettled(head);
    long position = first == null ? restored.firstUndone(nextOffset) : first.offset;
    LedgerCodec.Encoder encoder = new LedgerCodec.Encoder(position, metadataBytesMax);
    int undoneBehind = undone - settled;
    @Nullable Entry described = null;
    for (Entry entry = first; entry != null; entry = unsettled(entry.after)) {
      if (!encoder.undone(entry.offset, entry.offset + 1)) {
        return cut(encoder, described, undoneBehind);
      }
      described = entry;
      undoneBehind--;
    }
    if (described != null && !encoder.endsAt(nextOffset)) {
      return cut(encoder, described, 0);
    }
    long end = restored.describeBeyond(Math.max(position, nextOffset), encoder);
    return new LedgerSnapshot(position, encoder.finish(end), done + settled, end >= restored.end());
  }

  /** Whether every offset from the first unfinished one on is unfinished: there are no gaps. */
  private boolean nothingIsDoneBehind(Entry first) {
    return nextOffset - first.offset == undone && settled == 0 && restored.end() <= nextOffset;
  }

  private static @Nullable Entry unsettled(@Nullable Entry from) {
    Entry entry = from;
    while (entry != null && entry.settled) {
      entry = entry.after;
    }
    return entry;
  }

  /** A snapshot that ends at an entry: what is done behind it counts as not committed. */
  private LedgerSnapshot cut(LedgerCodec.Encoder encoder, @Nullable Entry last, int undoneBehind) {
    // The first entry lies at the position and always fits, so there is a last one.
    Entry end = Objects.requireNonNull(last);
    long acceptedBehind = accepted - end.sequence - 1;
    return new LedgerSnapshot(
        encoder.position(),
        encoder.finish(end.offset + 1),
        done + settled - (acceptedBehind - undoneBehind),
        false);
  }

  /** Whether a snapshot covers no less than what is acknowledged. */
  public boolean keeps(LedgerSnapshot snapshot) {
    return snapshot.covered() >= committed && snapshot.position() >= committedPosition;
  }

  /** The broker acknowledged the commit of this snapshot. */
  public void acknowledged(LedgerSnapshot snapshot) {
    committed = Math.max(committed, snapshot.covered());
    committedPosition = snapshot.position();
  }
}
