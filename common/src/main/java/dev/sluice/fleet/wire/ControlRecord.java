// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.wire;

import dev.sluice.fleet.CancelWish;
import dev.sluice.fleet.Claim;
import dev.sluice.fleet.DeclaredQueue;
import dev.sluice.fleet.GrantBatch;
import dev.sluice.fleet.OperatorSetting;
import dev.sluice.fleet.Report;

/** What a record of a control topic can be. */
public sealed interface ControlRecord {
  /** A process reports. */
  record OfReport(Report report) implements ControlRecord {}

  /** A candidate claims. */
  record OfClaim(Claim claim) implements ControlRecord {}

  /** The coordinator grants, or gives a sign of life. */
  record OfGrants(GrantBatch batch) implements ControlRecord {}

  /** A queue is declared. */
  record OfDeclared(DeclaredQueue queue) implements ControlRecord {}

  /** An operator has set something. */
  record OfOperator(OperatorSetting setting) implements ControlRecord {}

  /** Somebody wants a task not to run. */
  record OfCancel(CancelWish wish) implements ControlRecord {}

  /** It is damaged, of another version, or impossible: dropped and counted, never believed. */
  record Unreadable(String why) implements ControlRecord {}
}
