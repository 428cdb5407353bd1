// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import dev.sluice.flow.lease.LeaseTimes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a new coordinator finds in the grants topic before its own first record: all that can still
 * be valid. One partition after the other, each in log order. Pure; not thread-safe.
 *
 * <p>How old a grant is follows from the monotonic times that its coordinator wrote, not from any
 * wall clock: a record that the same coordinator wrote so much later proves that the lease is over.
 * Of a grant that nothing proves to be over, the worst is assumed.
 */
public final class ReadBack {
  private final Epoch own;
  private final Set<ProtocolRule> rules;
  private final List<Reign> reigns = new ArrayList<>();
  private final Map<String, List<Found>> shares = new HashMap<>();
  private final Map<String, Map<String, CreditGrant>> credits = new HashMap<>();
  private long longestLease;
  private long longestHold;
  private boolean complete;
  private boolean anyOpen;

  private static final class Reign {
    final Epoch epoch;
    final long firstNanos;
    long lastNanos;
    final List<GrantBatch> batches = new ArrayList<>();

    Reign(Epoch epoch, long firstNanos) {
      this.epoch = epoch;
      this.firstNanos = firstNanos;
      this.lastNanos = firstNanos;
    }
  }

  /** For a coordinator that has won this epoch. */
  public ReadBack(Epoch own, Set<ProtocolRule> rules) {
    this.own = own;
    this.rules = rules;
  }

  /**
   * The next record of the present partition.
   *
   * @return whether it was the coordinator's own first one: the partition is read
   */
  public boolean read(GrantBatch batch) {
    if (batch.epoch().equals(own)) {
      endPartition();
      complete = true;
      return true;
    }
    anyOpen |= batch.open();
    longestLease = Math.max(longestLease, batch.leaseNanos());
    for (Grant grant : batch.grants()) {
      for (LimitGrant limit : grant.limits()) {
        longestHold = Math.max(longestHold, limit.holdNanos());
      }
    }
    Reign reign = reigns.isEmpty() ? null : reigns.get(reigns.size() - 1);
    if (reign != null && reign.epoch.isAfter(batch.epoch())) {
      return false; // written by a coordinator that was superseded here: nobody accepts it
    }
    if (reign == null || !reign.epoch.equals(batch.epoch())) {
      reign = new Reign(batch.epoch(), batch.monoNanos());
      reigns.add(reign);
    }
    reign.lastNanos = batch.monoNanos();
    reign.batches.add(batch);
    forgetOld(reign);
    return false;
  }

  private void forgetOld(Reign present) {
    long window = LeaseTimes.readBackWindowNanos(longestLease, longestHold);
    present.batches.removeIf(batch -> present.lastNanos - batch.monoNanos() > window);
    if (present.lastNanos - present.firstNanos > window) {
      // All that was before this reign is over.
      reigns.removeIf(reign -> reign != present);
    }
  }

  private void endPartition() {
    for (Reign reign : reigns) {
      for (GrantBatch batch : reign.batches) {
        for (Grant grant : batch.grants()) {
          book(batch.epoch(), grant);
        }
      }
    }
    reigns.clear();
  }

  private void book(Epoch epoch, Grant grant) {
    List<Found> found = shares.computeIfAbsent(grant.incarnation(), h -> new ArrayList<>());
    if (!rules.contains(ProtocolRule.BOOK_THE_LARGEST)) {
      found.clear();
    }
    found.add(new Found(Epoch.order(epoch.counter(), grant.number()), grant.limits()));
    Map<String, CreditGrant> credit =
        credits.computeIfAbsent(grant.incarnation(), h -> new HashMap<>());
    for (CreditGrant each : grant.credits()) {
      credit.merge(each.account(), each, ReadBack::newer);
    }
  }

  private static CreditGrant newer(CreditGrant a, CreditGrant b) {
    return a.granted() > b.granted() ? a : b;
  }

  /** Adds what another one has found in other partitions. */
  public void add(ReadBack other) {
    complete |= other.complete;
    anyOpen |= other.anyOpen;
    longestLease = Math.max(longestLease, other.longestLease);
    other.shares.forEach(
        (holder, found) -> shares.computeIfAbsent(holder, h -> new ArrayList<>()).addAll(found));
    other.credits.forEach(
        (holder, found) ->
            found.forEach(
                (queue, credit) ->
                    credits
                        .computeIfAbsent(holder, h -> new HashMap<>())
                        .merge(queue, credit, ReadBack::newer)));
  }

  /**
   * A grant that was found.
   *
   * @param order of it among all grants of the topic
   * @param limits what it gave
   */
  public record Found(long order, List<LimitGrant> limits) {
    public Found {
      limits = List.copyOf(limits);
    }
  }

  /** What each incarnation was granted and may still hold, in order; the largest counts. */
  public Map<String, List<Found>> shares() {
    return shares;
  }

  /** The newest credit of each incarnation, by account. */
  public Map<String, Map<String, CreditGrant>> credits() {
    return credits;
  }

  /** The longest lease that was given, in nanoseconds; 0 if none was. */
  public long longestLeaseNanos() {
    return longestLease;
  }

  /**
   * Whether this is all there was: each partition was read to its end, and there was somebody
   * before. A log without a past is a new one, or one that was deleted: what holders have from the
   * old one cannot be read.
   */
  public boolean complete() {
    return complete && anyOpen;
  }
}
