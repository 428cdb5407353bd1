// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.share;

/**
 * Start-time fair queueing: who of several that have work is served next, in proportion to their
 * weights. Each has a tag; the least one is served and moves on by one over its weight, and one
 * that had nothing to do comes in where the others are, so that it neither has to wait for their
 * turns nor has saved any for itself. Nobody who has work is skipped: whoever has the least share
 * {@code s} of all weights is served at least every {@code 1 / s} services, and a few.
 *
 * <p>Deficit round robin gives the same shares and is O(1), but lets somebody who just came wait
 * for the quanta of all others. Not thread-safe.
 *
 * <p>Goyal, Vin, Cheng: Start-time Fair Queueing, SIGCOMM 1996.
 */
public final class FairClock {
  private static final double SCALE = 1L << 24;
  private static final double SHARE_LEAST = 1e-6;

  private long now;

  /** One of those who are served. */
  public static class Sharer {
    private final long step;
    private long tag;

    /**
     * @param share its part of the service; only the proportion to that of others matters
     */
    public Sharer(double share) {
      this.step = Math.max(1, Math.round(SCALE / Math.max(SHARE_LEAST, share)));
    }

    /** Whoever has the least is next. */
    public final long tag() {
      return tag;
    }
  }

  /** It has work, and had none. */
  public void enter(Sharer sharer) {
    sharer.tag = Math.max(sharer.tag, now);
  }

  /** It is served once. */
  public void serve(Sharer sharer) {
    now = Math.max(now, sharer.tag);
    sharer.tag += sharer.step;
  }

  /** What it was served last came back undone. */
  public void undo(Sharer sharer) {
    sharer.tag -= sharer.step;
  }
}
