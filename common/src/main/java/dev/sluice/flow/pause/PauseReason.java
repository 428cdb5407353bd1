// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.pause;

/** Why a partition is not fetched. The same word stands in logs, metrics, JSON and the docs. */
public enum PauseReason {
  /** The lane holds its full count of tasks; clears at its low watermark. */
  LANE_FULL("tasks of the partition finish"),
  /** The lane, or the buffer of the whole process, holds its full count of bytes. */
  BYTES_FULL("tasks finish and free their bytes"),
  /** The bulkhead of the handler of the waiting tasks has no permit. */
  BULKHEAD_FULL("running tasks of the handler finish"),
  /** The rate limiter of the handler has no permit, or its downstream asked for a pause. */
  RATE_LIMITED("the rate limiter's next period begins"),
  /** The circuit breaker of the handler is open. */
  CIRCUIT_OPEN("the circuit breaker lets a probe through and it succeeds"),
  /** The worker's share of a fleet limit is used up or not valid. */
  FLEET_LIMIT("the coordinator grants a share"),
  /** An operator paused the queue. */
  OPERATOR("an operator resumes the queue"),
  /** The waiting tasks of the lane wait for their next attempt. */
  RETRY_WAIT("the back-off of the failed tasks ends"),
  /** Too many completions are not yet recorded by an acknowledged commit. */
  LEDGER_FULL("the broker acknowledges a commit that covers them, or the tasks before them finish"),
  /** The worker is stopping or the partition is being handed over. */
  DRAINING("the partition is assigned anew"),
  /**
   * All tenants that have waiting tasks have as many running, or have started as many, as they may.
   */
  TENANT_LIMIT("tasks of these tenants finish, or their rates let more start");

  private final String clearedBy;

  PauseReason(String clearedBy) {
    this.clearedBy = clearedBy;
  }

  /** What makes this reason go away, as the end of a sentence. */
  public String clearedBy() {
    return clearedBy;
  }
}
