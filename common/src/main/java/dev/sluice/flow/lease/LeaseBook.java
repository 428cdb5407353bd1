// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.lease;

import dev.sluice.flow.share.Share;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;

/**
 * What of one limit is given away. The giver's side of a lease; not thread-safe.
 *
 * <p>A holder is booked with the largest share among its grants that have neither expired nor been
 * replaced by one that it has reported as applied. A grant expires only some time after its append
 * was acknowledged; before that it counts for as long as it takes. So the sum over the book is
 * never less than what all holders together may use, whatever was lost or delayed.
 *
 * <p>Valid: h has 10; a grant of 4 is written; 10 stay booked until h reports that it applied it;
 * then 6 are free. Invalid: 6 are free when the grant of 4 is written, because h may not have read
 * it yet.
 */
public final class LeaseBook {
  private static final long NOT_ACKNOWLEDGED = Long.MAX_VALUE;

  private long extraNanos;
  private final boolean trustDecreases;
  private final Map<String, Booking> bookings = new HashMap<>();
  private final long originNanos;
  private Share total = Share.NONE;

  private static final class Entry {
    long number;
    Share share;
    long expiresAt;

    Entry(long number, Share share, long expiresAt) {
      this.number = number;
      this.share = share;
      this.expiresAt = expiresAt;
    }
  }

  private static final class Booking {
    final ArrayDeque<Entry> entries = new ArrayDeque<>();
    Share booked = Share.NONE;
  }

  /** An empty book. */
  public LeaseBook(long nowNanos) {
    this(nowNanos, false);
  }

  /**
   * @param trustDecreases whether a smaller grant counts before its holder has confirmed it; breaks
   *     the limit, and exists so that the simulation can show that it does
   */
  public LeaseBook(long nowNanos, boolean trustDecreases) {
    this.originNanos = nowNanos;
    this.trustDecreases = trustDecreases;
  }

  /**
   * How much longer than its lease a share stays booked, from the next acknowledgement on: 0, or
   * for a strict limit on concurrency the attempt time-out and a grace.
   */
  public void holdFor(long nanos) {
    extraNanos = nanos;
  }

  /** What a holder is booked with. */
  public Share booked(String holder) {
    Booking booking = bookings.get(holder);
    return booking == null ? Share.NONE : booking.booked;
  }

  /** The sum over all holders. */
  public Share total() {
    return total;
  }

  /** Whether nobody is booked. */
  public boolean isEmpty() {
    return bookings.isEmpty();
  }

  /** How many holders are booked. */
  public int holders() {
    return bookings.size();
  }

  /**
   * The most that a holder may be granted now.
   *
   * @param limit what all together may have
   * @param wanted what it should have in the end
   */
  public Share grantable(String holder, Share wanted, Share limit) {
    Share own = booked(holder);
    Share free = limit.minus(total);
    Share most = own.plus(free);
    if (total.milliRate() > limit.milliRate()) {
      most = new Share(0, most.units());
    }
    if (total.units() > limit.units()) {
      most = new Share(most.milliRate(), 0);
    }
    // Of what it may have already, it can keep all: that adds nothing to what all may have.
    return wanted.min(most.max(own));
  }

  /** A grant was written, and is not acknowledged yet. The numbers of a holder's grants grow. */
  public void granted(String holder, long number, Share share) {
    Booking booking = bookings.computeIfAbsent(holder, h -> new Booking());
    Entry last = booking.entries.peekLast();
    if (trustDecreases) {
      booking.entries.clear();
      last = null;
    }
    if (last != null && last.share.equals(share) && last.expiresAt != NOT_ACKNOWLEDGED) {
      // The same again: one entry that lives as long as the later of the two.
      last.number = number;
      last.expiresAt = NOT_ACKNOWLEDGED;
      return;
    }
    booking.entries.addLast(new Entry(number, share, NOT_ACKNOWLEDGED));
    recount(holder, booking);
  }

  /**
   * The append of a grant was acknowledged: from now on its time runs.
   *
   * @param leaseNanos the lease that it gave
   */
  public void acknowledged(String holder, long number, long leaseNanos, long nowNanos) {
    Booking booking = bookings.get(holder);
    if (booking == null) {
      return;
    }
    long expiresAt = at(nowNanos) + LeaseTimes.bookNanos(leaseNanos + extraNanos);
    for (Entry entry : booking.entries) {
      if (entry.number == number) {
        entry.expiresAt = expiresAt;
        return;
      }
    }
  }

  /**
   * A holder reported which grant it has applied, and what it holds now: less than that grant where
   * it lowered itself, more where what it began before still runs. Grants written later still
   * count.
   */
  public void confirmed(String holder, long number, Share held) {
    Booking booking = bookings.get(holder);
    if (booking == null) {
      return;
    }
    long expiresAt = Long.MIN_VALUE;
    for (Iterator<Entry> i = booking.entries.iterator(); i.hasNext(); ) {
      Entry entry = i.next();
      if (entry.number <= number) {
        expiresAt = entry.expiresAt;
        i.remove();
      }
    }
    Entry later = booking.entries.peekFirst();
    if (expiresAt == Long.MIN_VALUE && later != null && !held.within(later.share)) {
      expiresAt = later.expiresAt;
    }
    if (expiresAt != Long.MIN_VALUE && !held.isNone()) {
      booking.entries.addFirst(new Entry(number, held, expiresAt));
    }
    recount(holder, booking);
  }

  /**
   * A holder has ended: it applies no grant any more, whatever was written for it.
   *
   * @param held what still runs there
   */
  public void left(String holder, Share held) {
    Booking booking = bookings.get(holder);
    if (booking == null) {
      return;
    }
    long number = 0;
    long expiresAt = Long.MIN_VALUE;
    for (Entry entry : booking.entries) {
      number = entry.number;
      expiresAt = Math.max(expiresAt, entry.expiresAt);
    }
    booking.entries.clear();
    if (!held.isNone()) {
      booking.entries.add(new Entry(number, held, expiresAt));
    }
    recount(holder, booking);
  }

  /**
   * A share that was given by somebody before, and may be in use until its time is over, or until
   * its holder reports that it has applied a later one. To be told in the order of their numbers,
   * and before the first own grant.
   */
  public void readBack(String holder, long number, Share share, long leaseNanos, long nowNanos) {
    Booking booking = bookings.computeIfAbsent(holder, h -> new Booking());
    long expiresAt = at(nowNanos) + LeaseTimes.readBackNanos(leaseNanos + extraNanos);
    booking.entries.addLast(new Entry(number, share, expiresAt));
    recount(holder, booking);
  }

  /** Forgets what has expired. */
  public void expire(long nowNanos) {
    long now = at(nowNanos);
    for (Iterator<Map.Entry<String, Booking>> i = bookings.entrySet().iterator(); i.hasNext(); ) {
      Booking booking = i.next().getValue();
      if (booking.entries.removeIf(entry -> entry.expiresAt <= now)) {
        recount(booking);
      }
      if (booking.entries.isEmpty()) {
        i.remove();
      }
    }
  }

  private long at(long nowNanos) {
    // Monotonic times may be negative and wrap; differences may not.
    return nowNanos - originNanos;
  }

  private void recount(String holder, Booking booking) {
    recount(booking);
    if (booking.entries.isEmpty()) {
      bookings.remove(holder);
    }
  }

  private void recount(Booking booking) {
    Share most = Share.NONE;
    for (Entry entry : booking.entries) {
      most = most.max(entry.share);
    }
    total = total.minus(booking.booked).plus(most);
    booking.booked = most;
  }
}
