// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.fleet.HeldLimits.Held;

/** A limit that the fleet shares; it may be set and taken away while tasks run. */
interface SharedLimit {
  /** What this process holds of it; to be used under its monitor. */
  Held held();

  /** Whether it limits anything now. */
  boolean active();

  /** Sets it or takes it away. */
  void activate(boolean on);
}
