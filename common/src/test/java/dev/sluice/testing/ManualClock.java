// SPDX-License-Identifier: Apache-2.0
package dev.sluice.testing;

import dev.sluice.time.Clock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** A clock that stands still until it is moved. Its two times are independent. Thread-safe. */
public final class ManualClock implements Clock {
  private final AtomicLong nanos;
  private final AtomicLong epochMillis;

  /** Starts at these times. */
  public ManualClock(long nanos, long epochMillis) {
    this.nanos = new AtomicLong(nanos);
    this.epochMillis = new AtomicLong(epochMillis);
  }

  /** Moves both times. */
  public void advance(Duration by) {
    nanos.addAndGet(by.toNanos());
    epochMillis.addAndGet(by.toMillis());
  }

  @Override
  public long nanos() {
    return nanos.get();
  }

  @Override
  public long epochMillis() {
    return epochMillis.get();
  }
}
