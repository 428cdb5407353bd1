// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import dev.sluice.flow.lease.ReportTimes;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which grants a process may believe. Pure; not thread-safe.
 *
 * <p>A grant is applied only if it names this incarnation and one of its reports, is newer than the
 * last applied, comes from the greatest epoch that was read, and its lease, counted from when that
 * report was sent, is not over.
 */
public final class HolderState {
  private final String incarnation;
  private final Set<ProtocolRule> rules;
  private final ReportTimes reports = new ReportTimes();
  private @Nullable Epoch epoch;
  private long appliedCounter;
  private long appliedNumber;
  private long roundTripNanos;
  private long spacingNanos;
  private long leaseNanos;
  private long refused;

  /**
   * A grant to apply.
   *
   * @param grant what was granted
   * @param endNanos when its lease ends, on this process's monotonic clock
   */
  public record Accepted(Grant grant, long endNanos) {}

  /**
   * @param incarnation of this process, drawn at its start
   * @param rules all, but in the simulation
   */
  public HolderState(String incarnation, Set<ProtocolRule> rules) {
    this.incarnation = incarnation;
    this.rules = rules;
  }

  /** Notes the time before a report is sent; returns its number. */
  public long beginReport(long nowNanos) {
    return reports.next(nowNanos);
  }

  /**
   * A record of the partition was read.
   *
   * @param believe false while the partition has not been read to where it ended at the start: then
   *     only its epoch counts
   */
  public Optional<Accepted> read(GrantBatch batch, boolean believe, long nowNanos) {
    Epoch known = epoch;
    boolean stale = known != null && known.isAfter(batch.epoch());
    if (stale && rules.contains(ProtocolRule.FENCE_EPOCHS)) {
      refused++;
      return Optional.empty();
    }
    if (!stale) {
      epoch = batch.epoch();
    }
    spacingNanos = batch.spacingNanos();
    leaseNanos = batch.leaseNanos();
    if (!believe) {
      return Optional.empty();
    }
    Optional<Accepted> accepted = Optional.empty();
    for (Grant grant : batch.grants()) {
      if (grant.incarnation().equals(incarnation)) {
        Accepted next = accept(batch, grant, nowNanos);
        accepted = next == null ? accepted : Optional.of(next);
      }
    }
    return accepted;
  }

  private @Nullable Accepted accept(GrantBatch batch, Grant grant, long nowNanos) {
    boolean newer = batch.epoch().counter() != appliedCounter || grant.number() > appliedNumber;
    if (!newer || !reports.knows(grant.report())) {
      refused++;
      return null;
    }
    long sent = reports.sentNanos(grant.report());
    long from = rules.contains(ProtocolRule.LEASE_FROM_REPORT) ? sent : nowNanos;
    long end = from + batch.leaseNanos();
    if (end - nowNanos <= 0) {
      refused++;
      return null;
    }
    appliedCounter = batch.epoch().counter();
    appliedNumber = grant.number();
    if (grant.report() == reports.last()) {
      roundTripNanos = Math.max(1, nowNanos - sent);
    }
    return new Accepted(grant, end);
  }

  /** The topic is another one: nothing that was read of it counts any more. */
  public void reset() {
    epoch = null;
    appliedCounter = 0;
    appliedNumber = 0;
  }

  /** The counter of the epoch of the last applied grant; 0 for none. */
  public long appliedCounter() {
    return appliedCounter;
  }

  /** The number of the last applied grant; 0 for none. */
  public long appliedNumber() {
    return appliedNumber;
  }

  /** How long the last answer to the newest report took; 0 before the first. */
  public long roundTripNanos() {
    return roundTripNanos;
  }

  /** How far apart reports should be on average; 0 before the first record. */
  public long spacingNanos() {
    return spacingNanos;
  }

  /** How long a lease lasts; 0 before the first record. */
  public long leaseNanos() {
    return leaseNanos;
  }

  /** The epoch that is believed, if any was read. */
  public Optional<Epoch> epoch() {
    return Optional.ofNullable(epoch);
  }

  /** Grants that were not believed. */
  public long refused() {
    return refused;
  }
}
