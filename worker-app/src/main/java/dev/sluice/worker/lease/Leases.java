// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.lease;

import dev.sluice.SluiceException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** Leases as they come, until the worker stops. For one thread. */
public final class Leases implements Iterator<Lease> {
  private final LeaseDesk desk;
  private @Nullable Lease next;

  /**
   * @param desk gives them
   */
  public Leases(LeaseDesk desk) {
    this.desk = desk;
  }

  /**
   * Waits for the next one.
   *
   * @throws SluiceException if the thread was interrupted while it waited; it stays interrupted
   */
  @Override
  public boolean hasNext() {
    while (next == null && !desk.isClosed()) {
      try {
        next = desk.take(Long.MAX_VALUE).orElse(null);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new SluiceException("Interrupted while waiting for a task", e);
      }
    }
    return next != null;
  }

  @Override
  public Lease next() {
    if (!hasNext()) {
      throw new NoSuchElementException("The worker stops");
    }
    Lease given = next;
    next = null;
    if (given == null) {
      throw new NoSuchElementException("The worker stops");
    }
    return given;
  }
}
