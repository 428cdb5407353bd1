// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.gate;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The credit that one task took, if any; it is settled once. */
public final class CreditTicket {
  private final AtomicReference<@Nullable QueueCredit> from = new AtomicReference<>();
  final long maxWaitNanos;

  /**
   * A ticket without credit.
   *
   * @param maxWaitNanos how long its task may wait
   */
  public CreditTicket(long maxWaitNanos) {
    this.maxWaitNanos = maxWaitNanos;
  }

  void taken(QueueCredit credit) {
    from.set(credit);
  }

  /** The fate of the task is decided; later calls do nothing. */
  public void settle(boolean published) {
    QueueCredit credit = from.getAndSet(null);
    if (credit != null) {
      credit.settle(published);
    }
  }
}
