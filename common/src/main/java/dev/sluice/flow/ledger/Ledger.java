// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.ledger;

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

  private @Nullable Entry head;
  private @Nullable Entry tail;
  private long nextOffset;
  private long accepted;
  private long done;
  private long committed;
  private long committedPosition;
  private int undone;

  /**
   * @param position the offset from which records are read
   * @param committedPosition the offset that is committed; negative where there is none, which
   *     makes the position itself news
   */
  public Ledger(long position, long committedPosition) {
    this.nextOffset = position;
    this.committedPosition = committedPosition;
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
    return head == null ? nextOffset : head.offset;
  }

  /** Completions that no acknowledged commit covers. */
  public long uncommitted() {
    return done - committed;
  }

  /** Whether a snapshot would say more than the last acknowledged one. */
  public boolean hasNews() {
    return done > committed || position() != committedPosition;
  }

  /**
   * What is done now, to be committed.
   *
   * @param metadataBytesMax the most bytes that the metadata may have
   */
  public LedgerSnapshot snapshot(int metadataBytesMax) {
    Entry first = head;
    if (first == null) {
      return new LedgerSnapshot(nextOffset, "", done);
    }
    LedgerCodec.Encoder encoder = new LedgerCodec.Encoder(first.offset, metadataBytesMax);
    Entry described = first;
    int undoneBehind = undone;
    for (Entry entry = first; entry != null; entry = entry.after) {
      if (!encoder.undone(entry.offset)) {
        return cut(first, encoder.finish(described.offset + 1), described, undoneBehind);
      }
      described = entry;
      undoneBehind--;
    }
    if (!encoder.endsAt(nextOffset)) {
      return cut(first, encoder.finish(described.offset + 1), described, 0);
    }
    return new LedgerSnapshot(first.offset, encoder.finish(nextOffset), done);
  }

  /** A snapshot that ends at an entry: what is done behind it counts as not committed. */
  private LedgerSnapshot cut(Entry first, String metadata, Entry last, int undoneBehind) {
    long acceptedBehind = accepted - last.sequence - 1;
    return new LedgerSnapshot(first.offset, metadata, done - (acceptedBehind - undoneBehind));
  }

  /** The broker acknowledged the commit of this snapshot. */
  public void acknowledged(LedgerSnapshot snapshot) {
    committed = Math.max(committed, snapshot.covered());
    committedPosition = snapshot.position();
  }
}
