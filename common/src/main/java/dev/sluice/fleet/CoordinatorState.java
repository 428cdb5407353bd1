// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import dev.sluice.flow.credit.CreditBook;
import dev.sluice.flow.credit.DelayWindow;
import dev.sluice.flow.lease.LeaseTimes;
import dev.sluice.flow.share.Share;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The coordinator: reports and times in, grants out. Pure; not thread-safe.
 *
 * <p>It gives nothing that the books do not have: a share is free when its holder has said that it
 * gave it up, or when its lease is over for sure. Each report is answered; a change of shares is
 * told at once; what is not urgent waits for the next sign of life, so that traffic per process
 * does not grow with the fleet.
 */
public final class CoordinatorState {
  /** How often each partition gets a record, at least. */
  public static final long BEAT_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private static final int HOLDERS_MAX = 50_000;
  private static final int LIMITS_MAX = 10_000;
  private static final int QUEUES_MAX = 10_000;
  private static final long RENEW_NANOS = TimeUnit.MILLISECONDS.toNanos(300);
  private static final long URGENT_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
  private static final long URGENT_PER_HOLDER_NANOS = TimeUnit.MICROSECONDS.toNanos(45);
  private static final long SPACING_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
  private static final long SPACING_PER_HOLDER_NANOS = TimeUnit.MICROSECONDS.toNanos(100);
  private static final long PLAN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final int LEASE_LOOK_REPORTS = 128;

  private final Epoch epoch;
  private final Set<ProtocolRule> rules;
  private final long leaseNanosLeast;
  private final Partition[] partitions;
  private final Map<String, Holder> holders = new LinkedHashMap<>();
  private final Map<LimitKey, LimitState> limits = new LinkedHashMap<>();
  private final Map<String, CreditState> credits = new LinkedHashMap<>();
  private final Map<LimitKey, Share> operatorLimits = new HashMap<>();
  private final long[] roundTrips = new long[LEASE_LOOK_REPORTS];
  private int roundTripCount;
  private long leaseNanos;
  private long calmSinceNanos;
  private long openAtNanos;
  private boolean open;
  private boolean waitsOut;
  private long grantNumber;
  private long dropped;

  /** A record to be written, and what its acknowledgement means. */
  public record Outgoing(int partition, GrantBatch batch) {}

  private static final class Holder {
    final String incarnation;
    Report report;
    long heardNanos;
    boolean answered;
    boolean greeted;

    Holder(Report report) {
      this.incarnation = report.incarnation();
      this.report = report;
    }
  }

  private static final class Partition {
    final Map<String, Holder> holders = new LinkedHashMap<>();
    long flushedNanos;
    boolean flushed;
  }

  /**
   * @param epoch that it has won
   * @param partitionCount partitions of the grants topic
   * @param leaseNanos how long a lease lasts
   * @param rules all, but in the simulation
   */
  public CoordinatorState(
      Epoch epoch, int partitionCount, long leaseNanos, Set<ProtocolRule> rules, long nowNanos) {
    this.epoch = epoch;
    this.rules = rules;
    this.leaseNanos = leaseNanos;
    this.leaseNanosLeast = leaseNanos;
    this.partitions = new Partition[partitionCount];
    Arrays.setAll(partitions, i -> new Partition());
    this.calmSinceNanos = nowNanos;
    this.openAtNanos = nowNanos;
  }

  /**
   * Takes over what was given before. Called once, when all of its own first records are
   * acknowledged and everything before them was read.
   */
  public void takeOver(ReadBack found, long nowNanos) {
    long lease = Math.max(leaseNanos, found.longestLeaseNanos());
    found
        .shares()
        .forEach(
            (holder, grants) -> {
              for (ReadBack.Found grant : grants) {
                for (LimitGrant each : grant.limits()) {
                  limit(each.key(), nowNanos)
                      .ifPresent(l -> l.readBack(holder, grant.order(), each, lease, nowNanos));
                }
              }
            });
    found
        .credits()
        .forEach(
            (holder, byAccount) ->
                byAccount
                    .values()
                    .forEach(
                        credit ->
                            credit(credit.queue())
                                .ifPresent(c -> c.readBack(holder, credit, nowNanos))));
    waitsOut = !found.complete() && rules.contains(ProtocolRule.WAIT_OUT_THE_UNREADABLE);
    openAtNanos = waitsOut ? nowNanos + LeaseTimes.readBackNanos(lease) : nowNanos;
    open = !waitsOut;
  }

  /** When it begins to give, if it waits for what it could not read; for people. */
  public boolean open() {
    return open;
  }

  // ---- settings ----

  /** What operators have set; limits that are not named follow their holders' configuration. */
  public void operatorLimits(Map<LimitKey, Share> set) {
    operatorLimits.clear();
    operatorLimits.putAll(set);
    limits.forEach((key, limit) -> limit.operator(operatorLimits.get(key)));
  }

  /** The capacities of all queues that have one. */
  public void capacities(Map<String, CreditSettings> set) {
    set.forEach(
        (queue, settings) -> {
          CreditState present = credits.get(queue);
          if (present != null) {
            present.configure(settings);
          } else if (credits.size() < QUEUES_MAX) {
            credits.put(
                queue,
                new CreditState(queue, settings, rules.contains(ProtocolRule.CONSERVE_CREDIT)));
          }
        });
    credits.forEach(
        (queue, state) -> {
          if (!set.containsKey(queue)) {
            state.configure(CreditSettings.NONE);
          }
        });
  }

  // ---- reports ----

  /** What a process wrote before this coordinator began: it may be gone. */
  public void remember(Report report, long nowNanos) {
    for (CreditReport credit : report.credits()) {
      credit(credit.queue()).ifPresent(c -> c.remembered(report.incarnation(), credit, nowNanos));
    }
  }

  /** A process reported. One that is older than what is known is skipped. */
  public void report(Report report, long nowNanos) {
    if (report.partition() >= partitions.length || !report.topicId().equals(epoch.topicId())) {
      dropped++;
      return;
    }
    Holder holder = holders.get(report.incarnation());
    if (holder == null) {
      if (holders.size() >= HOLDERS_MAX) {
        dropped++;
        return;
      }
      holder = new Holder(report);
      holders.put(report.incarnation(), holder);
    } else if (report.number() <= holder.report.number()) {
      return;
    }
    partitions[holder.report.partition()].holders.remove(holder.incarnation);
    partitions[report.partition()].holders.put(holder.incarnation, holder);
    holder.report = report;
    holder.heardNanos = nowNanos;
    holder.answered = false;
    long applied = Epoch.order(report.appliedCounter(), report.appliedNumber());
    for (LimitReport each : report.limits()) {
      LimitState limit = limit(each.key(), nowNanos).orElse(null);
      if (limit == null) {
        dropped++;
        continue;
      }
      // Also a grant of an earlier epoch: what it was granted there later is still booked.
      limit.book.confirmed(report.incarnation(), applied, each.held());
      if (!report.leaving()) {
        limit.reported(report.incarnation(), each);
      }
    }
    for (CreditReport each : report.credits()) {
      credit(each.queue())
          .ifPresent(
              c -> {
                c.reported(report.incarnation(), each, report.roundTripNanos(), nowNanos);
                if (report.leaving()) {
                  c.left(report.incarnation(), each.line());
                }
              });
    }
    observeRoundTrip(report, nowNanos);
    if (report.leaving()) {
      leave(report);
      forget(holder);
      holders.remove(report.incarnation());
    }
  }

  /** What it was granted and has not applied is free at once, too. */
  private void leave(Report report) {
    Map<LimitKey, Share> held = new HashMap<>();
    report.limits().forEach(each -> held.put(each.key(), each.held()));
    limits.forEach(
        (key, limit) -> limit.book.left(report.incarnation(), held.getOrDefault(key, Share.NONE)));
  }

  private void forget(Holder holder) {
    partitions[holder.report.partition()].holders.remove(holder.incarnation);
    limits.values().forEach(limit -> limit.gone(holder.incarnation));
    credits.values().forEach(credit -> credit.gone(holder.incarnation));
  }

  /** Where grants come so late that leases are in danger, leases become longer. */
  private void observeRoundTrip(Report report, long nowNanos) {
    long nanos = report.roundTripNanos();
    // Reports from before it gave anything were answered late for that reason alone.
    boolean settled = open && nowNanos - openAtNanos > leaseNanos;
    if (nanos <= 0 || !settled || report.appliedCounter() != epoch.counter()) {
      return;
    }
    roundTrips[roundTripCount++ % LEASE_LOOK_REPORTS] = nanos;
    if (roundTripCount % LEASE_LOOK_REPORTS != 0) {
      return;
    }
    long[] sorted = roundTrips.clone();
    Arrays.sort(sorted);
    if (sorted[LEASE_LOOK_REPORTS - 2] > leaseNanos / 3) {
      leaseNanos = Math.min(GrantBatch.LEASE_NANOS_MAX / 2, leaseNanos * 2);
      calmSinceNanos = nowNanos;
    } else if (leaseNanos > leaseNanosLeast
        && nowNanos - calmSinceNanos > TimeUnit.MINUTES.toNanos(1)) {
      leaseNanos = Math.max(leaseNanosLeast, leaseNanos / 2);
      calmSinceNanos = nowNanos;
    }
  }

  private Optional<LimitState> limit(LimitKey key, long nowNanos) {
    LimitState known = limits.get(key);
    if (known == null && limits.size() < LIMITS_MAX) {
      known = new LimitState(key, !rules.contains(ProtocolRule.CONFIRM_DECREASE), nowNanos);
      known.operator(operatorLimits.get(key));
      limits.put(key, known);
    }
    return Optional.ofNullable(known);
  }

  private Optional<CreditState> credit(String queue) {
    CreditState known = credits.get(queue);
    if (known == null && credits.size() < QUEUES_MAX) {
      known =
          new CreditState(queue, CreditSettings.NONE, rules.contains(ProtocolRule.CONSERVE_CREDIT));
      credits.put(queue, known);
    }
    return Optional.ofNullable(known);
  }

  /** Whether anything is shared, or may be for all that this coordinator knows yet. */
  public boolean shares() {
    return !open
        || !limits.isEmpty()
        || credits.values().stream().anyMatch(credit -> credit.settings().capacity() > 0);
  }

  // ---- the backlog ----

  /** The queues whose backlog is to be sampled: those with a capacity. */
  public List<String> bounded() {
    List<String> queues = new ArrayList<>();
    credits.forEach(
        (queue, credit) -> {
          if (credit.settings().capacity() > 0) {
            queues.add(queue);
          }
        });
    return queues;
  }

  /** Whether tasks of some queue wait for room for what they submit: each sample helps them. */
  public boolean childrenWait() {
    return credits.values().stream().anyMatch(CreditState::childrenWait);
  }

  /** Begins a sample of a queue's backlog: its ledgers and then its log are to be read now. */
  public CreditBook.@Nullable Sample sample(String queue) {
    CreditState credit = credits.get(queue);
    return credit == null ? null : credit.sample();
  }

  /** Ends a sample. */
  public void sampled(
      String queue, CreditBook.Sample sample, long finished, long appended, long nowNanos) {
    CreditState credit = credits.get(queue);
    if (credit != null) {
      credit.sampled(sample, finished, appended, nowNanos);
    }
  }

  /** The topic of a queue is another one. */
  public void resetBacklog(String queue) {
    CreditState credit = credits.get(queue);
    if (credit != null) {
      credit.reset();
    }
  }

  // ---- grants ----

  /**
   * What is to be written now. Everything in it is booked; {@link #appended} starts the time of the
   * leases.
   */
  public List<Outgoing> tick(long nowNanos) {
    if (!open && openAtNanos - nowNanos <= 0) {
      open = true;
    }
    expire(nowNanos);
    if (open) {
      boolean held = false;
      for (LimitState limit : limits.values()) {
        limit.settlePool(nowNanos);
        // What runs under a strict limit outlasts the leases that could not be read.
        if (waitsOut && nowNanos - openAtNanos < LeaseTimes.bookNanos(limit.holdNanos())) {
          held = true;
        } else {
          limit.plan(leaseNanos, PLAN_NANOS, nowNanos);
        }
      }
      waitsOut = held;
      credits.values().forEach(credit -> credit.distribute(nowNanos));
    }
    List<Outgoing> out = new ArrayList<>();
    // Beats go together, so that they share requests and what they wake.
    long beatNanos = untilBeatNanos(nowNanos) == 0 ? BEAT_NANOS / 2 : BEAT_NANOS;
    for (int i = 0; i < partitions.length; i++) {
      GrantBatch batch = flush(partitions[i], beatNanos, nowNanos);
      if (batch != null) {
        out.add(new Outgoing(i, batch));
      }
    }
    if (!out.isEmpty()) {
      limits.values().forEach(LimitState::told);
    }
    return out;
  }

  /**
   * Who should coordinate next, as the claim to write for it: the worker that was heard last. So an
   * orderly end costs no silence. Empty if there is no other worker.
   */
  public Optional<Claim> successor(long nowNanos) {
    Holder best = null;
    for (Holder holder : holders.values()) {
      boolean suits =
          holder.report.kind() == Report.Kind.WORKER
              && !holder.incarnation.equals(epoch.incarnation())
              && nowNanos - holder.heardNanos < leaseNanos;
      if (suits && (best == null || holder.heardNanos - best.heardNanos > 0)) {
        best = holder;
      }
    }
    return best == null
        ? Optional.empty()
        : Optional.of(new Claim(epoch.counter() + 1, best.incarnation, best.report.name()));
  }

  private void expire(long nowNanos) {
    for (Iterator<Holder> i = holders.values().iterator(); i.hasNext(); ) {
      Holder holder = i.next();
      if (nowNanos - holder.heardNanos > 2 * leaseNanos) {
        forget(holder);
        i.remove();
      }
    }
    for (Iterator<LimitState> i = limits.values().iterator(); i.hasNext(); ) {
      LimitState limit = i.next();
      limit.book.expire(nowNanos);
      if (limit.idle()) {
        i.remove();
      }
    }
    credits.values().forEach(credit -> credit.expire(leaseNanos, nowNanos));
  }

  /** After how many nanoseconds the next partition is due for a record; at most half a second. */
  public long untilBeatNanos(long nowNanos) {
    long until = BEAT_NANOS;
    for (Partition partition : partitions) {
      long since = partition.flushed ? nowNanos - partition.flushedNanos : BEAT_NANOS;
      until = Math.min(until, BEAT_NANOS - since);
    }
    return Math.max(0, until);
  }

  private @Nullable GrantBatch flush(Partition partition, long beatNanos, long nowNanos) {
    long sinceFlush = partition.flushed ? nowNanos - partition.flushedNanos : Long.MAX_VALUE;
    boolean beat = sinceFlush >= beatNanos;
    boolean renew = sinceFlush >= Math.max(RENEW_NANOS, urgentNanos());
    if (!beat && sinceFlush < urgentNanos()) {
      return null;
    }
    List<Grant> grants = new ArrayList<>();
    if (open) {
      boolean urgent = false;
      List<Holder> due = new ArrayList<>();
      for (Holder holder : partition.holders.values()) {
        if (nowNanos - holder.heardNanos > leaseNanos / 2) {
          continue; // what answers such an old report is over soon after it arrives
        }
        // Who is new here, or was another coordinator's, need not wait for its first answer.
        boolean changes = !holder.greeted || changes(holder);
        urgent |= changes;
        if (changes || !holder.answered) {
          due.add(holder);
        }
      }
      if (urgent || beat || renew) {
        due.forEach(holder -> grants.add(grant(holder, nowNanos)));
      }
    }
    if (grants.isEmpty() && !beat) {
      return null;
    }
    partition.flushed = true;
    partition.flushedNanos = nowNanos;
    boolean allOpen = open && !waitsOut;
    return new GrantBatch(epoch, nowNanos, leaseNanos, spacingNanos(), allOpen, grants);
  }

  private boolean changes(Holder holder) {
    for (LimitReport each : holder.report.limits()) {
      LimitState limit = limits.get(each.key());
      if (limit != null && limit.changes(holder.incarnation)) {
        return true;
      }
    }
    for (CreditReport each : holder.report.credits()) {
      CreditState credit = credits.get(each.queue());
      if (credit != null && credit.changes(holder.incarnation, each.line())) {
        return true;
      }
    }
    return false;
  }

  private Grant grant(Holder holder, long nowNanos) {
    grantNumber++;
    holder.answered = true;
    holder.greeted = true;
    List<LimitGrant> shares = new ArrayList<>();
    for (LimitReport each : holder.report.limits()) {
      LimitState limit = limits.get(each.key());
      if (limit != null) {
        long order = Epoch.order(epoch.counter(), grantNumber);
        shares.add(limit.grant(holder.incarnation, order, nowNanos));
      }
    }
    List<CreditGrant> credit = new ArrayList<>();
    for (CreditReport each : holder.report.credits()) {
      CreditState state = credits.get(each.queue());
      if (state != null && state.settings().capacity() > 0) {
        credit.add(state.grant(holder.incarnation, each.line()));
      }
    }
    return new Grant(holder.incarnation, grantNumber, holder.report.number(), shares, credit);
  }

  /** A record was acknowledged: the time of its leases runs from now on. */
  public void appended(Outgoing outgoing, long nowNanos) {
    long lease = outgoing.batch().leaseNanos();
    for (Grant grant : outgoing.batch().grants()) {
      for (LimitGrant each : grant.limits()) {
        LimitState limit = limits.get(each.key());
        if (limit != null) {
          long order = Epoch.order(epoch.counter(), grant.number());
          limit.book.acknowledged(grant.incarnation(), order, lease, nowNanos);
        }
      }
    }
  }

  private long urgentNanos() {
    return URGENT_NANOS + holders.size() * URGENT_PER_HOLDER_NANOS;
  }

  private long spacingNanos() {
    return Math.min(
        leaseNanos / 3, Math.max(SPACING_NANOS, holders.size() * SPACING_PER_HOLDER_NANOS));
  }

  // ---- what others may see ----

  /** The epoch that it rules in. */
  public Epoch epoch() {
    return epoch;
  }

  /** How many processes report. */
  public int holders() {
    return holders.size();
  }

  /** Reports that were not believed or did not fit. */
  public long dropped() {
    return dropped;
  }

  /** What all holders together may use of a limit, as booked; for tests and people. */
  public Share booked(LimitKey key) {
    LimitState limit = limits.get(key);
    return limit == null ? Share.NONE : limit.book.total();
  }

  /** The limit of all together that holds now. */
  public Share limit(LimitKey key) {
    LimitState limit = limits.get(key);
    return limit == null ? Share.NONE : limit.limit();
  }

  /** Tasks of a queue with a target delay that end per second; 0 while it is not known. */
  public double drainRate(String queue) {
    CreditState credit = credits.get(queue);
    DelayWindow window = credit == null ? null : credit.window();
    return window == null ? 0 : window.drainRate();
  }

  /** Backlog and outstanding credit of a queue, at most; MAX_VALUE while it is not known. */
  public long used(String queue) {
    CreditState credit = credits.get(queue);
    return credit == null ? Long.MAX_VALUE : credit.used();
  }
}
