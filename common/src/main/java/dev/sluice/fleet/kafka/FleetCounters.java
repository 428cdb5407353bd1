// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.kafka;

import java.util.concurrent.atomic.AtomicLong;

/** What a member of the fleet counts; all of it grows, but what says otherwise. Thread-safe. */
public final class FleetCounters {
  final AtomicLong reports = new AtomicLong();
  final AtomicLong reportsFailed = new AtomicLong();
  final AtomicLong grants = new AtomicLong();
  final AtomicLong refused = new AtomicLong();
  final AtomicLong unreadable = new AtomicLong();
  final AtomicLong elections = new AtomicLong();
  final AtomicLong roundTripNanos = new AtomicLong();
  final AtomicLong coordinating = new AtomicLong();

  /** Reports written. */
  public long reports() {
    return reports.get();
  }

  /** Reports that could not be written. */
  public long reportsFailed() {
    return reportsFailed.get();
  }

  /** Grants applied. */
  public long grants() {
    return grants.get();
  }

  /** Grants of old epochs, for old reports, or that came too late. */
  public long refused() {
    return refused.get();
  }

  /** Control records that were damaged, impossible or of another version. */
  public long unreadable() {
    return unreadable.get();
  }

  /** Elections that this process has won. */
  public long elections() {
    return elections.get();
  }

  /** How long the last grant took from its report; 0 before the first. */
  public long roundTripNanos() {
    return roundTripNanos.get();
  }

  /** Whether this process is the coordinator now. */
  public boolean coordinating() {
    return coordinating.get() > 0;
  }
}
