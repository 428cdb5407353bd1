// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.credit;

/**
 * The credit of one producer for one queue. The holder's side; not thread-safe.
 *
 * <p>What is unspent when the lease ends is given back, except the escrow: a small part that lasts
 * longer and is spent only while nobody answers. After that the producer holds.
 */
public final class CreditAccount {
  /** How long the escrow outlasts the last lease. */
  public static final long ESCROW_NANOS = 600_000_000_000L;

  /** At most this part of what is unspent is put aside: what is little is to be used. */
  public static final long ESCROW_PART = 4;

  private long granted;
  private long taken;
  private long spent;
  private long returned;
  private long escrow;
  private long endNanos;
  private boolean valid;
  private boolean sheddable;
  private boolean everGranted;

  /** Without credit. */
  public CreditAccount() {}

  /**
   * A grant was applied.
   *
   * @param grantedTotal all that was ever granted
   * @param escrowMost how much of the unspent is escrow
   * @param mayShed whether sheddable tasks may enter
   * @param leaseEndNanos when it ends
   */
  public void apply(
      long grantedTotal, long escrowMost, boolean mayShed, long leaseEndNanos, long nowNanos) {
    settle(nowNanos);
    granted = Math.max(granted, grantedTotal);
    escrow = Math.min(escrowMost, unspent() / ESCROW_PART);
    sheddable = mayShed;
    endNanos = leaseEndNanos;
    valid = true;
    everGranted = true;
    settle(nowNanos); // a grant that is over already is given back at once
  }

  /** Whether somebody answers: the lease holds. */
  public boolean valid(long nowNanos) {
    settle(nowNanos);
    return valid;
  }

  /** Whether sheddable tasks may enter. */
  public boolean sheddable(long nowNanos) {
    settle(nowNanos);
    return valid && sheddable;
  }

  /** What may be spent now. */
  public long available(long nowNanos) {
    settle(nowNanos);
    if (valid) {
      return Math.max(0, unspent() - escrow);
    }
    return everGranted && nowNanos - endNanos < ESCROW_NANOS ? unspent() : 0;
  }

  /** Takes one credit, if there is one. */
  public boolean take(long nowNanos) {
    if (available(nowNanos) <= 0) {
      return false;
    }
    taken++;
    if (!valid) {
      escrow--;
    }
    return true;
  }

  /** A task whose credit was taken is in the log, or may be. */
  public void spent() {
    spent++;
  }

  /** A task whose credit was taken is not in the log and never will be. */
  public void unused() {
    // Given back and not kept: whoever kept it would have to know that its lease still holds.
    returned++;
  }

  /** Gives back half of what is unspent beyond this, because nothing needs it. */
  public void decay(long keep, long nowNanos) {
    settle(nowNanos);
    long surplus = unspent() - escrow - keep;
    if (valid && surplus > 0) {
      long back = (surplus + 1) / 2;
      returned += back;
      taken += back;
    }
  }

  /** Gives everything back: the producer ends. */
  public void close() {
    long back = unspent();
    returned += back;
    taken += back;
    escrow = 0;
  }

  /** All that was ever granted. */
  public long granted() {
    return granted;
  }

  /** Tasks that are in the log, or may be. */
  public long spentTotal() {
    return spent;
  }

  /** Credit given back. */
  public long returnedTotal() {
    return returned;
  }

  /** Tasks that took credit and have no outcome yet. */
  public long inFlight() {
    return taken - spent - returned;
  }

  private long unspent() {
    return granted - taken;
  }

  private void settle(long nowNanos) {
    if (valid && endNanos - nowNanos <= 0) {
      valid = false;
      long back = Math.max(0, unspent() - escrow);
      returned += back;
      taken += back;
    }
    if (!valid && everGranted && escrow > 0 && nowNanos - endNanos >= ESCROW_NANOS) {
      long back = unspent();
      returned += back;
      taken += back;
      escrow = 0;
    }
  }
}
