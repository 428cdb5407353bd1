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

  /** So much of the capacity is for all priorities. */
  private static final double YIELDING_PART = 0.8;

  private static final double ESCROW_PART = 0.05;
  private static final long ESCROW_MOST = 100;
  private static final long WINDOW_LEAST = 64;

  final String queue;
  private final CreditBook book;
  private final Map<String, Member> members = new LinkedHashMap<>();
  private CreditSettings settings;

  /** For each priority, how many tasks it is to be let in before more urgent ones. */
  private double[] due = {};

  private long dueFinished = -1;
  private @Nullable DelayWindow window;
  private long sampledNanos;
  private long roundTripNanos = 100_000_000;
  private double drainRate;
  private long lastFinished = -1;
  private long lastFinishedNanos;
  private boolean dirty;

  private static final class Member {
    final String holder;
    final CreditLine line;
    @Nullable CreditReport report;
    long inDoubtNanos;
    long silentSinceNanos;
    long grantedTold;
    boolean lapsed;
    boolean live;
    long escrow;
    boolean toldSheddable;

    Member(String holder, CreditLine line) {
      this.holder = holder;
      this.line = line;
    }

    boolean asks() {
      return live && report != null;
    }
  }

  private Member member(String holder, CreditLine line) {
    return members.computeIfAbsent(line.account(holder), a -> new Member(holder, line));
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
    if (due.length != changed.priorities().levels()) {
      due = new double[changed.priorities().levels()];
    }
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
    book.readBack(grant.line().account(holder), grant.granted(), grant.settled());
    Member member = member(holder, grant.line());
    member.escrow = grant.escrow();
    member.silentSinceNanos = nowNanos;
    member.inDoubtNanos = Math.max(member.inDoubtNanos, 60_000_000_000L);
  }

  /** What a producer said last that may be gone: what it may still spend stays counted. */
  void remembered(String holder, CreditReport report, long nowNanos) {
    reported(holder, report);
    Member member = member(holder, report.line());
    member.inDoubtNanos = report.inDoubtNanos();
    if (report.line().produced()) {
      member.escrow = Math.max(member.escrow, escrowFor(1));
    }
    member.silentSinceNanos = nowNanos;
  }

  private void reported(String holder, CreditReport report) {
    book.reported(
        report.line().account(holder), report.granted(), report.spent(), report.returned());
  }

  void reported(String holder, CreditReport report, long roundTrip, long nowNanos) {
    reported(holder, report);
    Member member = member(holder, report.line());
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
  void left(String holder, CreditLine line) {
    String account = line.account(holder);
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
    for (int level = 0; dueFinished >= 0 && level < due.length; level++) {
      double share = settings.priorities().share(level);
      double more = share * Math.max(0, finished - dueFinished);
      due[level] = Math.min(due[level] + more, Math.max(1, share * settings.capacity()));
    }
    dueFinished = Math.max(dueFinished, finished);
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
    dueFinished = -1;
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
    // A queue that is full of tasks that wait for room would have only the allowance for all else.
    long most = childrenWait() ? Math.min(most(), settings.capacity() / 2) : most();
    int levels = settings.priorities().levels();
    List<Member> producing = members.values().stream().filter(this::producing).toList();
    long escrow = escrowFor(producing.size());
    producing.forEach(member -> member.escrow = escrow);
    for (int level = levels - 2; level >= 0; level--) {
      giveDue(level, escrow, most);
    }
    for (int level = levels - 1; level >= 0; level--) {
      give(level, escrow, ceiling(level, most));
    }
  }

  private boolean producing(Member member) {
    return member.asks() && member.line.produced();
  }

  /** What producers want more of for one priority. */
  private final class Wanted {
    final List<String> accounts = new ArrayList<>();
    final long[] critical;
    final long[] sheddable;
    long criticalSum;

    Wanted(int level, long escrow) {
      int last = settings.priorities().levels() - 1;
      members.forEach(
          (account, member) -> {
            // One that has not heard yet that there are fewer now counts as the most urgent.
            if (producing(member) && Math.min(last, member.line.priority()) == level) {
              accounts.add(account);
            }
          });
      critical = new long[accounts.size()];
      sheddable = new long[accounts.size()];
      for (int i = 0; i < critical.length; i++) {
        CreditReport report = report(accounts.get(i));
        long wanted = report.demand() - report.sheddableDemand() + escrow;
        long has = book.outstanding(accounts.get(i));
        critical[i] = Math.max(0, wanted - has);
        sheddable[i] = Math.max(0, report.demand() + escrow - has - critical[i]);
        criticalSum += critical[i];
      }
    }
  }

  /**
   * Of all that has ended since, each priority is given its part, if it wants that, before the more
   * urgent ones have it all: with as much work as can be done or more, they would take every place
   * that becomes free, and workers cannot serve what is not let in.
   */
  private void giveDue(int level, long escrow, long most) {
    Wanted wanted = new Wanted(level, escrow);
    if (wanted.criticalSum == 0) {
      due[level] = 0;
      return;
    }
    long now = Math.min((long) due[level], most - book.used());
    due[level] -= give(wanted.accounts, ShareAllocator.allocate(Math.max(0, now), wanted.critical));
  }

  private void give(int level, long escrow, long ceiling) {
    Wanted wanted = new Wanted(level, escrow);
    long free = Math.max(0, ceiling - book.used());
    long given = give(wanted.accounts, ShareAllocator.allocate(free, wanted.critical));
    long forSheddable = Math.max(0, part(ceiling, SHEDDABLE_PART) - book.used());
    given += give(wanted.accounts, ShareAllocator.allocate(forSheddable, wanted.sheddable));
    due[level] = Math.max(0, due[level] - given);
  }

  /** Up to where a priority fills the queue; what is above is for the more urgent ones. */
  private long ceiling(int level, long most) {
    int last = settings.priorities().levels() - 1;
    return level >= last ? most : part(most, YIELDING_PART + (1 - YIELDING_PART) * level / last);
  }

  private static long part(long of, double part) {
    return of == 0 ? 0 : Math.max(1, (long) (of * part));
  }

  /** Whether tasks wait for room for what they submit. */
  boolean childrenWait() {
    for (Member member : members.values()) {
      CreditReport report = member.report;
      if (!member.line.produced() && member.live && report != null && report.waiting() > 0) {
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
      if (member.asks() && !member.line.produced()) {
        asking.add(member);
      }
    }
    asking.sort(
        Comparator.comparingInt((Member m) -> -m.line.depth()).thenComparing(m -> m.holder));
    for (Member member : asking) {
      CreditReport report = member.report;
      if (report == null) {
        continue;
      }
      String account = member.line.account(member.holder);
      long has = book.outstanding(account);
      long all = report.demand() - has;
      long least = report.least() - has;
      long free = settings.capacity() + member.line.depth() * settings.perDepth() - book.used();
      if (all > 0 && free > 0 && least <= free) {
        book.grant(account, Math.min(all, free));
      } else if (least > 0) {
        return; // whoever comes after it would keep taking what it waits for
      }
    }
  }

  private long give(List<String> accounts, long[] shares) {
    long given = 0;
    for (int i = 0; i < shares.length; i++) {
      if (shares[i] > 0) {
        book.grant(accounts.get(i), shares[i]);
        given += shares[i];
      }
    }
    return given;
  }

  private CreditReport report(String account) {
    Member member = members.get(account);
    CreditReport report = member == null ? null : member.report;
    if (report == null) {
      throw new IllegalStateException("Producer " + account + " has no report");
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
  boolean changes(String holder, CreditLine line) {
    String account = line.account(holder);
    Member member = members.get(account);
    CreditReport report = member == null ? null : member.report;
    if (member == null || report == null) {
      return false;
    }
    boolean more = report.waiting() > 0 && book.granted(account) > member.grantedTold;
    return more || member.toldSheddable != maySheddable(line) && report.sheddableDemand() > 0;
  }

  CreditGrant grant(String holder, CreditLine line) {
    String account = line.account(holder);
    Member member = member(holder, line);
    long granted = book.granted(account);
    member.grantedTold = granted;
    member.toldSheddable = maySheddable(line);
    return new CreditGrant(
        queue,
        line,
        granted,
        book.settled(account),
        member.escrow,
        member.toldSheddable,
        waiting(),
        Math.max(0, (long) (drainRate * 1_000)));
  }

  private boolean maySheddable(CreditLine line) {
    return book.known() && book.used() < part(ceiling(line.priority(), most()), SHEDDABLE_PART);
  }

  private long waiting() {
    long waiting = 0;
    for (Member member : members.values()) {
      CreditReport report = member.report;
      waiting += report == null || !member.line.produced() ? 0 : report.waiting();
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
