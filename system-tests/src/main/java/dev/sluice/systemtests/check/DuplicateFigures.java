// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import java.util.List;

/**
 * Which tasks ran more often than asked for.
 *
 * @param duplicates all of them: explained by a disturbance, outlived and unexplained
 * @param unexplained without any cause in the list of disturbances
 * @param outlived completed after their partition was lost, so that the new owner ran them again
 * @param interrupted not completed, because a hand-over or stop cut them off; no duplicates
 * @param retries attempts that a failure asked for; no duplicates
 * @param disturbances the figures of each disturbance
 * @param unexplainedExamples the first unexplained ones
 */
public record DuplicateFigures(
    long duplicates,
    long unexplained,
    long outlived,
    long interrupted,
    long retries,
    List<DisturbanceFigures> disturbances,
    List<String> unexplainedExamples) {
  /** Copies the lists. */
  public DuplicateFigures {
    disturbances = List.copyOf(disturbances);
    unexplainedExamples = List.copyOf(unexplainedExamples);
  }
}
