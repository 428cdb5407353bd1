// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.fleet.HeldLimits.Held;
import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;

/**
 * A worker's share of a limit that the whole fleet has together. It may be set and taken away while
 * tasks run; while nobody has set it, it grants everything. Thread-safe.
 */
abstract class SharedLimit implements Limit {
  /** What this process holds of it; to be used under its monitor. */
  final Held held;

  private volatile boolean active;

  SharedLimit(Held held, boolean active) {
    this.held = held;
    this.active = active;
  }

  /** What this process holds of it; to be used under its monitor. */
  final Held held() {
    return held;
  }

  /** Whether it limits anything now. */
  final boolean active() {
    return active;
  }

  /** Sets it or takes it away. */
  final void activate(boolean on) {
    active = on;
  }

  @Override
  public final boolean watchesStarts() {
    return true;
  }

  @Override
  public final boolean watchesNow() {
    return active;
  }

  @Override
  public final PauseReason reason() {
    return PauseReason.FLEET_LIMIT;
  }

  @Override
  public final boolean stillGranted(long nowNanos) {
    if (!active) {
      return true;
    }
    synchronized (held) {
      return valid(nowNanos);
    }
  }

  /** Ends the process if what runs under this limit may be one too many by now. */
  void endIfOutlived(long nowNanos) {}

  /** Whether the lease holds; called under the monitor of what is held. */
  abstract boolean valid(long nowNanos);
}
