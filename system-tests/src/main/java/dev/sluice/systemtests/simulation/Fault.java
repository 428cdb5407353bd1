// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import java.util.List;

/** What goes wrong in a simulated fleet. */
public enum Fault {
  /** A worker dies and comes back under its name. */
  RESTART,
  /** The coordinator dies and comes back under its name. */
  RESTART_LEADER,
  /** A worker stands still, shorter than a lease. */
  STOP,
  /** A worker stands still, perhaps longer than a lease. */
  STOP_LONG,
  /** The coordinator stands still, and goes on as if it still were it. */
  STOP_LEADER,
  /** A worker can neither read nor write. */
  CUT_OFF,
  /** The coordinator can neither read nor write. */
  CUT_OFF_LEADER,
  /** The coordinator cannot reach the partition that has the claims; it can reach all others. */
  LEADER_MISSES_CLAIMS,
  /**
   * The same; when another one has taken over, that one is late, what a worker had that died is
   * free for both, and others join.
   */
  TWO_LEADERS_AND_JOIN,
  /** What a worker reads and writes is late, by seconds. */
  SLOW,
  /** What a worker reads is late, and then it is cut off. */
  SLOW_THEN_CUT_OFF,
  /** A worker is cut off, and the coordinator dies. */
  CUT_OFF_AND_KILL_LEADER,
  /** One more worker. */
  JOIN,
  /** A worker ends in an orderly way. */
  LEAVE,
  /** A producer stands still or is cut off. */
  PRODUCER,
  /** The control topics are deleted and made anew. */
  RECREATE;

  /** All of them, the usual ones more often. */
  static final List<Fault> ANY =
      List.of(
          RESTART,
          RESTART,
          RESTART_LEADER,
          STOP,
          STOP_LONG,
          STOP_LEADER,
          CUT_OFF,
          CUT_OFF_LEADER,
          LEADER_MISSES_CLAIMS,
          TWO_LEADERS_AND_JOIN,
          SLOW,
          SLOW,
          SLOW_THEN_CUT_OFF,
          CUT_OFF_AND_KILL_LEADER,
          JOIN,
          JOIN,
          LEAVE,
          PRODUCER,
          RECREATE);
}
