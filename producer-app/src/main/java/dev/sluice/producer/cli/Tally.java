// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.cli;

import dev.sluice.UnknownOutcomeException;
import dev.sluice.producer.Acceptance;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** What became of the tasks so far. Thread-safe. */
final class Tally {
  final AtomicLong accepted = new AtomicLong();
  final AtomicLong rejected = new AtomicLong();
  final AtomicLong unknown = new AtomicLong();
  final AtomicLong bad = new AtomicLong();
  private final AtomicReference<@Nullable Throwable> firstUnknown = new AtomicReference<>();
  private final AtomicReference<@Nullable Throwable> firstRefusal = new AtomicReference<>();

  void ended(@Nullable Acceptance acceptance, @Nullable Throwable failure) {
    if (acceptance != null) {
      accepted.incrementAndGet();
    } else if (failure instanceof UnknownOutcomeException) {
      unknown.incrementAndGet();
      boolean ignored = firstUnknown.compareAndSet(null, failure);
    } else {
      refused(failure);
    }
  }

  void refused(@Nullable Throwable failure) {
    rejected.incrementAndGet();
    boolean ignored = firstRefusal.compareAndSet(null, failure);
  }

  @Nullable Throwable firstUnknown() {
    return firstUnknown.get();
  }

  @Nullable Throwable firstRefusal() {
    return firstRefusal.get();
  }
}
