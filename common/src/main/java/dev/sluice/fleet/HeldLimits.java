// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import dev.sluice.flow.lease.LeasedRate;
import dev.sluice.flow.lease.LeasedSlots;
import dev.sluice.flow.share.Share;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * What one process holds of all fleet limits that concern it. Limits are declared first, by one
 * thread; after that, threads that start tasks and the one that talks to the fleet share it, under
 * the monitor of each limit.
 */
public final class HeldLimits {
  private static final double LOWER_BELOW = 1 / 3.0;
  private static final double KEEP = 1.5;

  private final Map<LimitKey, Held> limits = new LinkedHashMap<>();

  /** One limit; its parts are to be used under its monitor. */
  public static final class Held {
    final LimitKey key;
    final Share configured;
    private long holdNanos;
    private final @Nullable LeasedRate rate;
    private final @Nullable LeasedSlots slots;
    private long startedSlots;
    private long reportedBeyond;

    private Held(
        LimitKey key,
        Share configured,
        long holdNanos,
        @Nullable LeasedRate rate,
        @Nullable LeasedSlots slots) {
      this.key = key;
      this.configured = configured;
      this.holdNanos = holdNanos;
      this.rate = rate;
      this.slots = slots;
    }

    /** The name of the limit. */
    public LimitKey key() {
      return key;
    }

    /** What this process's configuration says that all together may. */
    public Share configured() {
      return configured;
    }

    /** How long after a lapse slots may still be busy; 0 unless the limit is strict. */
    public long holdNanos() {
      return holdNanos;
    }

    /** The bucket of a limit on the rate. */
    public LeasedRate rate() {
      if (rate == null) {
        throw new IllegalStateException(key + " is no limit on the rate");
      }
      return rate;
    }

    /** The slots of a limit on concurrency. */
    public LeasedSlots slots() {
      if (slots == null) {
        throw new IllegalStateException(key + " is no limit on concurrency");
      }
      return slots;
    }

    /** A slot was taken for a start. */
    public void countStart() {
      startedSlots++;
    }

    private long started() {
      return rate == null ? startedSlots : rate.started();
    }

    private void apply(@Nullable LimitGrant grant, long endNanos, long nowNanos) {
      Share share = grant == null ? Share.NONE : grant.share();
      if (rate != null) {
        long tokens = grant == null ? 0 : grant.tokens();
        long turn = grant == null ? 0 : grant.turn();
        long starts = grant == null ? 0 : grant.startsMax();
        rate.apply(share, tokens, turn, starts, endNanos, nowNanos);
      } else {
        slots().apply(share.units(), endNanos, nowNanos);
      }
    }

    /** Lowers itself to what it needs, and says what it holds then. */
    private LimitReport report(long demand, long nowNanos) {
      boolean over = false;
      Share held;
      if (rate != null) {
        over = rate.turnOver();
        Share share = rate.share(nowNanos);
        if (over || demand == 0) {
          rate.lower(Share.NONE, nowNanos);
        } else if (rate.turn() == 0 && demand < share.milliRate() * LOWER_BELOW) {
          double part = KEEP * demand / share.milliRate();
          rate.lower(
              new Share(
                  (long) (KEEP * demand), Math.max(1, (long) Math.ceil(share.units() * part))),
              nowNanos);
        }
        Share left = rate.share(nowNanos);
        held = new Share(left.milliRate(), Math.max(left.units(), rate.pending()));
      } else {
        LeasedSlots mine = slots();
        mine.lower(Math.max(demand, mine.inUse()));
        held = new Share(0, mine.held(nowNanos));
      }
      reportedBeyond = beyondShare(nowNanos);
      return new LimitReport(key, configured, holdNanos, demand, held, over, started());
    }

    /** What runs, or is about to start, where that is more than the share. */
    private long beyondShare(long nowNanos) {
      return rate != null
          ? Math.max(0, rate.pending() - rate.share(nowNanos).units())
          : Math.max(0, slots().inUse() - slots().slots(nowNanos));
    }
  }

  /** Without limits. */
  public HeldLimits() {}

  /**
   * Declares a limit; the same one again must be declared alike.
   *
   * @param configured the limit of all together
   * @param holdNanos attempt time-out and grace for a strict limit on concurrency, else 0
   */
  public Held declare(LimitKey key, Share configured, long holdNanos, long nowNanos) {
    Held known = limits.get(key);
    if (known != null) {
      if (configured.equals(known.configured)) {
        known.holdNanos = Math.max(known.holdNanos, holdNanos);
        return known;
      }
      throw new IllegalArgumentException(
          "The fleet limit " + key + " is given twice, with different numbers");
    }
    Held held =
        key.kind() == LimitKey.Kind.RATE
            ? new Held(key, configured, holdNanos, new LeasedRate(nowNanos), null)
            : new Held(key, configured, holdNanos, null, new LeasedSlots(nowNanos));
    limits.put(key, held);
    return held;
  }

  /** Whether no limit concerns this process. */
  public boolean isEmpty() {
    return limits.isEmpty();
  }

  /** All limits. */
  public Iterable<Held> all() {
    return limits.values();
  }

  /**
   * Whether less runs than was reported, of what was more than the share: it stays booked, and is
   * nobody's, until that is reported too.
   */
  public boolean gaveBack(long nowNanos) {
    for (Held held : limits.values()) {
      synchronized (held) {
        if (held.reportedBeyond > 0 && held.beyondShare(nowNanos) < held.reportedBeyond) {
          return true;
        }
      }
    }
    return false;
  }

  /** A grant was accepted; limits that it does not name are nothing. */
  public void apply(Grant grant, long endNanos, long nowNanos) {
    Map<LimitKey, LimitGrant> byKey = new LinkedHashMap<>();
    grant.limits().forEach(each -> byKey.put(each.key(), each));
    for (Held held : limits.values()) {
      synchronized (held) {
        held.apply(byKey.get(held.key), endNanos, nowNanos);
      }
    }
  }

  /** All leases are over: the control topics are others. */
  public void end(long nowNanos) {
    for (Held held : limits.values()) {
      synchronized (held) {
        held.apply(null, nowNanos, nowNanos);
      }
    }
  }

  /** What to report; what is held and not needed is given up first. */
  public List<LimitReport> reports(ToLongFunction<LimitKey> demand, long nowNanos) {
    return reports(demand, key -> true, nowNanos);
  }

  /** What to report of the limits that are set now; see {@link #reports(ToLongFunction, long)}. */
  public List<LimitReport> reports(
      ToLongFunction<LimitKey> demand, Predicate<LimitKey> set, long nowNanos) {
    List<LimitReport> reports = new ArrayList<>();
    for (Held held : limits.values()) {
      if (!set.test(held.key)) {
        synchronized (held) {
          held.reportedBeyond = 0;
        }
        continue;
      }
      long wanted = demand.applyAsLong(held.key);
      synchronized (held) {
        reports.add(held.report(wanted, nowNanos));
      }
    }
    return reports;
  }
}
