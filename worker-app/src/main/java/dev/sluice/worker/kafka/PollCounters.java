// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import java.util.concurrent.atomic.AtomicLong;

/** What a poll loop counts. Thread-safe. */
public final class PollCounters {
  private final AtomicLong rebalances = new AtomicLong();
  private final AtomicLong commits = new AtomicLong();
  private final AtomicLong commitFailures = new AtomicLong();
  private final AtomicLong lostByRetention = new AtomicLong();

  private volatile long leaks;

  void leaks(long found) {
    leaks = found;
  }

  /** Slots, permits and places in lanes that the last look found taken by nobody. */
  public long leaks() {
    return leaks;
  }

  void rebalanced() {
    rebalances.incrementAndGet();
  }

  void committed() {
    commits.incrementAndGet();
  }

  void commitFailed() {
    commitFailures.incrementAndGet();
  }

  void lostByRetention(long offsets) {
    lostByRetention.addAndGet(offsets);
  }

  /** Times that partitions were taken away. */
  public long rebalances() {
    return rebalances.get();
  }

  /** Commits that the broker acknowledged. */
  public long commits() {
    return commits.get();
  }

  /** Commits that failed. */
  public long commitFailures() {
    return commitFailures.get();
  }

  /** Offsets that were deleted before they were worked. */
  public long lostByRetention() {
    return lostByRetention.get();
  }
}
