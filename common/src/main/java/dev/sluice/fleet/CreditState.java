// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import dev.sluice.flow.credit.CreditAccount;
import dev.sluice.flow.credit.CreditBook;
import dev.sluice.flow.credit.DelayWindow;
import dev.sluice.flow.lease.LeaseTimes;
import dev.sluice.flow.share.ShareAllocator;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The credit for one queue as the coordinator sees it. */
final class CreditState {
  private static final long SAMPLE_LIFE_NANOS = 2_000_000_000L;
  private static final double SHEDDABLE_PART = 0.8;
  private static final double ESCROW_PART = 0.05;
  private static final long ESCROW_MOST = 100;
  private static final long WINDOW_LEAST = 64;

  final String queue;
  private final CreditBook book;
  private final Map<String, Member> members = new LinkedHashMap<>();
  private CreditSettings settings;
  private @Nullable DelayWindow window;
  private long sampledNanos;
  private long roundTripNanos = 100_000_000;
  private double drainRate;
  private long lastFinished = -1;
  private long lastFinishedNanos;
  private boolean dirty;

  private static final class Member {
    final String holder;
    final int depth;
    @Nullable CreditReport report;
    long inDoubtNanos;
    long silentSinceNanos;
    long grantedTold;
    boolean lapsed;
    boolean live;
    long escrow;
    boolean toldSheddable;

    Member(String holder, int depth) {
      this.holder = holder;
      this.depth = depth;
    }

    boolean asks() {
      return live && report != null;
    }
  }

  private Member member(String holder, int depth) {
    return members.computeIfAbsent(
        CreditGrant.account(holder, depth), a -> new Member(holder, depth));
  }

  CreditState(String queue, CreditSettings settings, boolean conserve) {
    this.queue = queue;
    this.book = new CreditBook(conserve);
    this.settings = settings;
    configure(settings);
  }

  void configure(CreditSettings changed) {
    if (window == null || changed.targetDelayNanos() != settings.targetDelayNanos()) {
      window = changed.targetDelayNanos() == 0 ? null : new DelayWindow(changed.targetDelayNanos());
    }
    settings = changed;
    dirty = true;
  }

  CreditSettings settings() {
    return settings;
  }

  /** Nobody has credit, and nothing is known of anybody. */
  boolean idle() {
    return members.isEmpty();
  }

  void readBack(String holder, CreditGrant grant, long nowNanos) {
    book.readBack(CreditGrant.account(holder, grant.depth()), grant.granted(), grant.settled());
    Member member = member(holder, grant.depth());
    member.escrow = grant.escrow();
    member.silentSinceNanos = nowNanos;
    member.inDoubtNanos = Math.max(member.inDoubtNanos, 60_000_000_000L);
  }

  /** What a producer said last that may be gone: what it may still spend stays counted. */
  void remembered(String holder, CreditReport report, long nowNanos) {
    reported(holder, report);
    Member member = member(holder, report.depth());
    member.inDoubtNanos = report.inDoubtNanos();
    if (report.depth() == 0) {
      member.escrow = Math.max(member.escrow, escrowFor(1));
    }
    member.silentSinceNanos = nowNanos;
  }

  private void reported(String holder, CreditReport report) {
    book.reported(
        CreditGrant.account(holder, report.depth()),
        report.granted(),
        report.spent(),
        report.returned());
  }

  void reported(String holder, CreditReport report, long roundTrip, long nowNanos) {
    reported(holder, report);
    Member member = member(holder, report.depth());
    member.report = report;
    member.inDoubtNanos = report.inDoubtNanos();
    member.silentSinceNanos = nowNanos;
    member.lapsed = false;
    member.live = true;
    if (roundTrip > 0) {
      roundTripNanos += (Math.min(roundTrip, 5_000_000_000L) - roundTripNanos) / 8;
    }
    dirty = true;
  }

  /** A producer says that it ends: what it gave back is free, and it wants nothing. */
  void left(String holder, int depth) {
    String account = CreditGrant.account(holder, depth);
    if (book.outstanding(account) == 0) {
      book.lapsed(account, 0);
      members.remove(account);
    } else {
      gone(holder);
    }
  }

  void gone(String holder) {
    for (Member member : members.values()) {
      if (member.holder.equals(holder)) {
        member.live = false;
        member.report = null;
      }
    }
  }

  /** Frees what silent producers can no longer use. */
  void expire(long leaseNanos, long nowNanos) {
    for (Iterator<Map.Entry<String, Member>> i = members.entrySet().iterator(); i.hasNext(); ) {
      Map.Entry<String, Member> entry = i.next();
      Member member = entry.getValue();
      if (member.live) {
        continue;
      }
      long over =
          nowNanos
              - member.silentSinceNanos
              - 2 * LeaseTimes.bookNanos(leaseNanos)
              - LeaseTimes.bookNanos(member.inDoubtNanos);
      if (over > LeaseTimes.bookNanos(CreditAccount.ESCROW_NANOS)) {
        book.lapsed(entry.getKey(), 0);
        i.remove();
      } else if (over > 0 && !member.lapsed) {
        member.lapsed = true;
        book.lapsed(entry.getKey(), Math.min(member.escrow, book.outstanding(entry.getKey())));
        if (book.outstanding(entry.getKey()) == 0) {
          book.lapsed(entry.getKey(), 0);
          i.remove();
        }
      }
    }
  }

  CreditBook.Sample sample() {
    return book.sample();
  }

  void sampled(CreditBook.Sample sample, long finished, long appended, long nowNanos) {
    book.sampled(sample, finished, appended);
    sampledNanos = nowNanos;
    if (window != null) {
      window.sample(finished, appended, book.used(), waiting() > 0, nowNanos);
    }
    if (lastFinished >= 0 && nowNanos - lastFinishedNanos >= DelayWindow.SAMPLE_NANOS) {
      double rate = Math.max(0, finished - lastFinished) * 1e9 / (nowNanos - lastFinishedNanos);
      drainRate += (rate - drainRate) / 4;
      lastFinished = finished;
      lastFinishedNanos = nowNanos;
    } else if (lastFinished < 0) {
      lastFinished = finished;
      lastFinishedNanos = nowNanos;
    }
    dirty = true;
  }

  /** The topic is another one. */
  void reset() {
    book.unknown();
    lastFinished = -1;
    if (window != null) {
      window.reset();
    }
  }

  /** Grants what is free, by demand; to be asked before {@link #grant}. */
  void distribute(long nowNanos) {
    if (!dirty || !book.known() || nowNanos - sampledNanos > SAMPLE_LIFE_NANOS) {
      return;
    }
    dirty = false;
    giveChildren();
    List<String> holders = new ArrayList<>();
    members.forEach(
        (holder, member) -> {
          if (member.asks() && member.depth == 0) {
            holders.add(holder);
          }
        });
    long[] critical = new long[holders.size()];
    long[] sheddable = new long[holders.size()];
    long escrow = escrowFor(holders.size());
    for (int i = 0; i < critical.length; i++) {
      CreditReport report = report(holders.get(i));
      Member member = members.get(holders.get(i));
      if (member != null) {
        member.escrow = escrow;
      }
      long wanted = report.demand() - report.sheddableDemand() + escrow;
      long has = book.outstanding(holders.get(i));
      critical[i] = Math.max(0, wanted - has);
      sheddable[i] = Math.max(0, report.demand() + escrow - has - critical[i]);
    }
    // A queue that is full of tasks that wait for room would have only the allowance for all else.
    long most = childrenWait() ? Math.min(most(), settings.capacity() / 2) : most();
    give(holders, ShareAllocator.allocate(Math.max(0, most - book.used()), critical));
    long forSheddable = (long) (most * SHEDDABLE_PART) - book.used();
    give(holders, ShareAllocator.allocate(Math.max(0, forSheddable), sheddable));
  }

  /** Whether tasks wait for room for what they submit. */
  boolean childrenWait() {
    for (Member member : members.values()) {
      CreditReport report = member.report;
      if (member.depth > 0 && member.live && report != null && report.waiting() > 0) {
        return true;
      }
    }
    return false;
  }

  /**
   * Tasks that wait for room for what they submit come before producers, the deepest first, and
   * each generation may go a little beyond the one above it. So the deepest task that is there
   * always finds room in the end, and its end makes room for others: classes of buffers, as
   * networks use them that must not stop with all buffers full. Nobody is given a part that is of
   * no use to it.
   *
   * <p>Merlin, Schweitzer: Deadlock Avoidance in Store-and-Forward Networks, 1980.
   */
  private void giveChildren() {
    List<Member> asking = new ArrayList<>();
    for (Member member : members.values()) {
      if (member.asks() && member.depth > 0) {
        asking.add(member);
      }
    }
    asking.sort(Comparator.comparingInt((Member m) -> -m.depth).thenComparing(m -> m.holder));
    for (Member member : asking) {
      CreditReport report = member.report;
      if (report == null) {
        continue;
      }
      String account = CreditGrant.account(member.holder, member.depth);
      long has = book.outstanding(account);
      long all = report.demand() - has;
      long least = report.least() - has;
      long free = settings.capacity() + member.depth * settings.perDepth() - book.used();
      if (all > 0 && free > 0 && least <= free) {
        book.grant(account, Math.min(all, free));
      } else if (least > 0) {
        return; // whoever comes after it would keep taking what it waits for
      }
    }
  }

  private void give(List<String> holders, long[] shares) {
    for (int i = 0; i < shares.length; i++) {
      if (shares[i] > 0) {
        book.grant(holders.get(i), shares[i]);
      }
    }
  }

  private CreditReport report(String holder) {
    Member member = members.get(holder);
    CreditReport report = member == null ? null : member.report;
    if (report == null) {
      throw new IllegalStateException("Producer " + holder + " has no report");
    }
    return report;
  }

  private long escrowFor(int producers) {
    long reserve = (long) (settings.capacity() * ESCROW_PART);
    return Math.min(ESCROW_MOST, reserve / Math.max(1, producers));
  }

  private long most() {
    DelayWindow delay = window;
    if (delay == null) {
      return settings.capacity();
    }
    long aside = 0;
    for (Map.Entry<String, Member> entry : members.entrySet()) {
      // What a producer keeps for the time when nobody answers does not wait in the queue.
      aside +=
          Math.min(
              entry.getValue().escrow,
              book.outstanding(entry.getKey()) / CreditAccount.ESCROW_PART);
    }
    long least = Math.max(WINDOW_LEAST, 2L * members.size());
    // Credit is backlog after the grant's half of the round trip; the other half is the report's.
    long wanted = delay.window(settings.capacity(), least, roundTripNanos / 2);
    return Math.min(settings.capacity(), wanted + aside);
  }

  /** Whether a producer should be told something new. */
  boolean changes(String holder, int depth) {
    String account = CreditGrant.account(holder, depth);
    Member member = members.get(account);
    CreditReport report = member == null ? null : member.report;
    if (member == null || report == null) {
      return false;
    }
    boolean more = report.waiting() > 0 && book.granted(account) > member.grantedTold;
    return more || member.toldSheddable != maySheddable() && report.sheddableDemand() > 0;
  }

  CreditGrant grant(String holder, int depth) {
    String account = CreditGrant.account(holder, depth);
    Member member = member(holder, depth);
    long granted = book.granted(account);
    member.grantedTold = granted;
    member.toldSheddable = maySheddable();
    return new CreditGrant(
        queue,
        depth,
        granted,
        book.settled(account),
        member.escrow,
        member.toldSheddable,
        waiting(),
        Math.max(0, (long) (drainRate * 1_000)));
  }

  private boolean maySheddable() {
    return book.known() && book.used() < most() * SHEDDABLE_PART;
  }

  private long waiting() {
    long waiting = 0;
    for (Member member : members.values()) {
      CreditReport report = member.report;
      waiting += report == null || member.depth > 0 ? 0 : report.waiting();
    }
    return waiting;
  }

  long used() {
    return book.used();
  }

  @Nullable DelayWindow window() {
    return window;
  }
}
