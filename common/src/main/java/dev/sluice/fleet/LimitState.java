// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import dev.sluice.flow.lease.LeaseBook;
import dev.sluice.flow.limit.TokenBucket;
import dev.sluice.flow.share.Demand;
import dev.sluice.flow.share.RateSharing;
import dev.sluice.flow.share.Share;
import dev.sluice.flow.share.SlotSharing;
import dev.sluice.flow.share.Target;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One fleet limit as the coordinator sees it: who demands what, who has what. */
final class LimitState {
  private static final double CHANGE_LEAST = 0.05;
  private static final long FEW_UNITS = 4;

  final LimitKey key;
  final LeaseBook book;
  private final RateSharing rates = new RateSharing();
  private final SlotSharing slots = new SlotSharing();
  private final TokenBucket pool;
  private final Map<String, LimitReport> members = new LinkedHashMap<>();
  private final Map<String, LimitGrant> given = new LinkedHashMap<>();
  private Map<String, Target> targets = Map.of();
  private Share limit = Share.NONE;
  private @Nullable Share operator;
  private boolean limitChanged;
  private boolean dirty;
  private long plannedNanos;
  private long holdNanos;

  LimitState(LimitKey key, boolean trustDecreases, long nowNanos) {
    this.key = key;
    this.book = new LeaseBook(nowNanos, trustDecreases);
    this.pool = TokenBucket.empty(nowNanos);
    this.plannedNanos = nowNanos;
  }

  /** The limit of all together: the operator's, else the smallest that a live holder names. */
  Share limit() {
    return limit;
  }

  /** How much longer than its lease a share stays booked. */
  long holdNanos() {
    return holdNanos;
  }

  int members() {
    return members.size();
  }

  void operator(@Nullable Share set) {
    operator = set;
    limitMayHaveChanged();
  }

  /** What was given by somebody before. */
  void readBack(String holder, long order, LimitGrant grant, long leaseNanos, long nowNanos) {
    if (members.isEmpty()) {
      holdNanos = Math.max(holdNanos, grant.holdNanos());
      book.holdFor(holdNanos);
    }
    book.readBack(holder, order, grant.share(), leaseNanos, nowNanos);
  }

  /** A live holder reported. */
  void reported(String holder, LimitReport report) {
    LimitReport before = members.put(holder, report);
    dirty |=
        before == null
            || before.demand() != report.demand()
            || before.turnOver() != report.turnOver()
            || !before.held().equals(report.held());
    if (before == null
        || !before.configured().equals(report.configured())
        || before.holdNanos() != report.holdNanos()) {
      limitMayHaveChanged();
    }
  }

  /** A holder is gone: it demands nothing; what it has stays booked until it expires. */
  void gone(String holder) {
    if (members.remove(holder) != null) {
      given.remove(holder);
      dirty = true;
      limitMayHaveChanged();
    }
  }

  boolean idle() {
    return members.isEmpty() && book.isEmpty();
  }

  private void limitMayHaveChanged() {
    Share least = operator;
    long hold = 0;
    for (LimitReport member : members.values()) {
      hold = Math.max(hold, member.holdNanos());
      if (operator == null && !member.configured().isNone()) {
        least = least == null ? member.configured() : least.min(member.configured());
      }
    }
    holdNanos = Math.max(hold, members.isEmpty() ? holdNanos : 0);
    book.holdFor(holdNanos);
    Share now = least == null ? Share.NONE : least;
    if (!now.equals(limit)) {
      limit = now;
      limitChanged = true;
      dirty = true;
    }
  }

  /** Decides anew who should have what, if something changed or time may have. */
  void plan(long leaseNanos, long leastNanos, long nowNanos) {
    if (!dirty && nowNanos - plannedNanos < leastNanos) {
      return;
    }
    dirty = false;
    plannedNanos = nowNanos;
    List<Demand> demands = new ArrayList<>(members.size());
    members.forEach(
        (holder, report) ->
            demands.add(
                new Demand(holder, report.demand(), report.held().units() > 0, report.turnOver())));
    targets =
        key.kind() == LimitKey.Kind.RATE
            ? rates.plan(limit, demands, leaseNanos, nowNanos)
            : slots.plan(limit.units(), demands, nowNanos);
  }

  /** Whether a holder should be told something new. */
  boolean changes(String holder) {
    LimitGrant last = given.get(holder);
    Target target = targets.getOrDefault(holder, Target.NONE);
    Share present = last == null ? Share.NONE : last.share();
    if (last != null && last.turn() != target.turn()) {
      return true;
    }
    Share next = next(holder, target, present);
    if (next.equals(present)) {
      return false;
    }
    // A raise that trickles in as others lower themselves is not worth a message of its own.
    boolean trickle =
        present.within(next)
            && !next.equals(target.share())
            && next.units() == present.units()
            && next.milliRate() - present.milliRate() <= present.milliRate() * CHANGE_LEAST;
    return !trickle;
  }

  /** What a holder is granted now; booked at once. */
  LimitGrant grant(String holder, long number, long nowNanos) {
    LimitGrant last = given.get(holder);
    Target target = targets.getOrDefault(holder, Target.NONE);
    Share share = next(holder, target, last == null ? Share.NONE : last.share());
    long tokens = tokens(share, nowNanos);
    book.granted(holder, number, share);
    settlePool(nowNanos);
    LimitGrant grant =
        new LimitGrant(
            key, share, tokens, target.turn(), Math.max(0, target.startsMax()), holdNanos);
    given.put(holder, grant);
    return grant;
  }

  /** Tokens that nobody had a share of, so that a limit at rest gives its burst at once. */
  private long tokens(Share share, long nowNanos) {
    if (key.kind() != LimitKey.Kind.RATE || share.units() == 0) {
      return 0;
    }
    settlePool(nowNanos);
    long tokens = Math.min(share.units(), pool.available(nowNanos));
    return tokens > 0 && pool.tryAcquire(tokens, nowNanos) == 0 ? tokens : 0;
  }

  /** The coordinator's own bucket earns what is not given away, and holds no more than that. */
  void settlePool(long nowNanos) {
    if (key.kind() == LimitKey.Kind.RATE) {
      Share free = limit.minus(book.total());
      pool.configureExactly(free.milliRate(), free.units(), nowNanos);
    }
  }

  private Share next(String holder, Target target, Share present) {
    Share wanted = target.share();
    if (!limitChanged && !present.isNone() && close(wanted, present)) {
      wanted = present;
    }
    Share most = book.grantable(holder, wanted, limit);
    // A rate without a token's place, or the other way round, would only be kept from others.
    return key.kind() == LimitKey.Kind.RATE && (most.units() == 0 || most.milliRate() == 0)
        ? Share.NONE
        : most;
  }

  private boolean close(Share wanted, Share present) {
    return key.kind() == LimitKey.Kind.RATE
        && wanted.units() > 0
        && Math.abs(wanted.milliRate() - present.milliRate()) <= present.milliRate() * CHANGE_LEAST
        && Math.abs(wanted.units() - present.units())
            <= (present.units() < FEW_UNITS ? 0 : Math.max(1, present.units() * CHANGE_LEAST));
  }

  /** All holders were told of a changed limit. */
  void told() {
    limitChanged = false;
  }

  /** What a holder was granted last, if it lives. */
  @Nullable LimitGrant given(String holder) {
    return given.get(holder);
  }

  /** Starts since each holder began, of those that live. */
  Map<String, LimitReport> reports() {
    return members;
  }
}
