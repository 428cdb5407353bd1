// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

/** What a history can violate. */
public enum Rule {
  /** S1: an accepted task has no terminal record. */
  LOST,
  /** S1: a refused submit was started. */
  REJECTED_BUT_STARTED,
  /** S2: after a kill or a suspension more tasks ran again than its bound allows. */
  DUPLICATES_OVER_BOUND,
  /** S2: tasks ran again though nothing was done to their worker. */
  UNEXPLAINED_DUPLICATES,
  /** S3: two runs of what is ordered lasted at the same time. */
  OVERLAP,
  /** S3: a task started before one that it comes after had ended, or a replay left one out. */
  SWAP,
  /** A run has an end and no beginning. */
  ENDED_WITHOUT_START
}
