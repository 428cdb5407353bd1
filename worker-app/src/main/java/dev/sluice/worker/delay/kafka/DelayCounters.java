// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.delay.kafka;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** What serving delayed tasks counts, for metrics. Thread-safe. */
public final class DelayCounters {
  final AtomicInteger shards = new AtomicInteger();
  final AtomicLong delivered = new AtomicLong();
  final AtomicLong moved = new AtomicLong();
  final AtomicLong cancelled = new AtomicLong();
  final AtomicLong failed = new AtomicLong();
  final AtomicLong latenessMillis = new AtomicLong();

  DelayCounters() {}

  /** Shards that this process serves now. */
  public int shards() {
    return shards.get();
  }

  /** Tasks that came out into their queues. */
  public long delivered() {
    return delivered.get();
  }

  /** Moves from one delay topic to the next. */
  public long moved() {
    return moved.get();
  }

  /** Tasks that did not come out because they were cancelled. */
  public long cancelled() {
    return cancelled.get();
  }

  /** Transactions that failed, and were made again. */
  public long failed() {
    return failed.get();
  }

  /** How late the tasks came out, all together, in milliseconds. */
  public long latenessMillis() {
    return latenessMillis.get();
  }
}
