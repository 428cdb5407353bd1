// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.lease;

import dev.sluice.flow.limit.TokenBucket;
import dev.sluice.flow.share.Share;

/**
 * The holder's side of a share of a rate: a token bucket that ends with its lease. Not thread-safe.
 *
 * <ul>
 *   <li>It settles at the old rate before a change, and never earns beyond the end of the lease.
 *   <li>After a lapse it starts empty: what it had may have been given to somebody else.
 *   <li>A lower burst destroys tokens, a higher one adds none; only what the grant says it passes
 *       on is added.
 *   <li>A token that was taken keeps its place until its task has begun, so the bound holds for the
 *       starts as they happen, not as they were decided.
 * </ul>
 */
public final class LeasedRate {
  /** What {@link #tryAcquire} returns when only a new grant helps. */
  public static final long UNTIL_GRANT = Long.MAX_VALUE;

  private static final long UNLIMITED = Long.MAX_VALUE;

  private static final long HELD_LOOK_NANOS = 500_000;

  private final TokenBucket bucket;
  private Share share = Share.NONE;
  private long endNanos;
  private boolean valid;
  private long startsLeft;
  private long presentTurn;
  private long started;

  /** Without a lease. */
  public LeasedRate(long nowNanos) {
    this.bucket = TokenBucket.empty(nowNanos);
    this.endNanos = nowNanos;
  }

  /**
   * A grant was applied.
   *
   * @param granted rate and burst from now on
   * @param tokens tokens that come with it
   * @param turn the number of the turn that it belongs to; 0 for a share without turns
   * @param startsMax starts of this turn until the share is given up
   * @param leaseEndNanos when it ends
   */
  public void apply(
      Share granted, long tokens, long turn, long startsMax, long leaseEndNanos, long nowNanos) {
    settle(nowNanos);
    bucket.configureExactly(granted.milliRate(), granted.units(), nowNanos);
    bucket.add(Math.min(tokens, granted.units()), nowNanos);
    share = granted;
    if (turn == 0) {
      startsLeft = UNLIMITED;
    } else if (turn != presentTurn) {
      startsLeft = startsMax; // the same turn again is the same starts again
    }
    presentTurn = turn;
    endNanos = leaseEndNanos;
    valid = endNanos - nowNanos > 0;
  }

  /** Gives up what is more than this, before that is reported. */
  public void lower(Share most, long nowNanos) {
    settle(nowNanos);
    share = share.min(most);
    bucket.configureExactly(share.milliRate(), share.units(), nowNanos);
  }

  /** Whether the lease holds. */
  public boolean valid(long nowNanos) {
    settle(nowNanos);
    return valid;
  }

  /** When the lease ends. */
  public long endNanos() {
    return endNanos;
  }

  /** What it may use. */
  public Share share(long nowNanos) {
    settle(nowNanos);
    return valid ? share : Share.NONE;
  }

  /** How often tokens were taken and used; grows only. */
  public long started() {
    return started;
  }

  /** Whether its turn is over: it may start nothing more, and should give its share up. */
  public boolean turnOver() {
    return presentTurn != 0 && startsLeft <= 0;
  }

  /**
   * Tokens that were taken for starts that have not begun: they count as held, whatever the share.
   */
  public long pending() {
    return bucket.held();
  }

  /** The turn that its share belongs to; 0 for a share without turns. */
  public long turn() {
    return presentTurn;
  }

  /**
   * Takes a token for one start.
   *
   * @return 0 when it was taken; else after how many nanoseconds to look again, or {@link
   *     #UNTIL_GRANT}
   */
  public long tryAcquire(long nowNanos) {
    settle(nowNanos);
    if (!valid || startsLeft <= 0 || share.units() == 0) {
      return UNTIL_GRANT;
    }
    long wait = bucket.tryAcquire(1, nowNanos);
    if (wait == 0) {
      bucket.hold(1);
      if (startsLeft != UNLIMITED) {
        startsLeft--;
      }
      started++;
      return 0;
    }
    if (bucket.held() >= share.units()) {
      return HELD_LOOK_NANOS; // nothing is earned until one that was taken has begun
    }
    return share.milliRate() == 0 ? UNTIL_GRANT : wait;
  }

  /** A start that a token was taken for has happened. */
  public void begun(long nowNanos) {
    if (valid) {
      settle(nowNanos);
    }
    bucket.used(1, valid ? nowNanos : endNanos);
  }

  /** A start that a token was taken for does not happen. */
  public void cancel(long nowNanos) {
    settle(nowNanos);
    started--;
    if (startsLeft != UNLIMITED) {
      startsLeft++;
    }
    bucket.putBack(1);
    if (!valid) {
      bucket.drain(endNanos);
    }
  }

  private void settle(long nowNanos) {
    if (valid && endNanos - nowNanos <= 0) {
      valid = false;
      bucket.configureExactly(0, share.units(), endNanos);
      bucket.drain(endNanos);
    }
  }
}
