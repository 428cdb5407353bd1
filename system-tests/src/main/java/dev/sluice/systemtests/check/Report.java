// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import java.util.List;

/**
 * What the checker found.
 *
 * @param ok whether no rule was violated
 * @param accepted submits that the brokers acknowledged
 * @param rejected submits that were refused
 * @param unknown submits whose fate was not known
 * @param runs attempts that began
 * @param done completions recorded
 * @param dead dead letters recorded
 * @param lost accepted tasks without a terminal record
 * @param overlaps pairs of runs of one key or partition at the same time
 * @param swaps runs out of order
 * @param fencedOverlaps overlaps with a run whose result was dropped or whose process stood still
 * @param duplicates tasks that ran more often than asked for
 * @param tornLines files whose last line was cut off, as kill -9 does
 * @param violations the first texts for each rule
 */
public record Report(
    boolean ok,
    long accepted,
    long rejected,
    long unknown,
    long runs,
    long done,
    long dead,
    long lost,
    long overlaps,
    long swaps,
    long fencedOverlaps,
    DuplicateFigures duplicates,
    int tornLines,
    List<String> violations) {
  /** Copies the list. */
  public Report {
    violations = List.copyOf(violations);
  }

  /** Violations of S3 together. */
  public long orderViolations() {
    return overlaps + swaps;
  }
}
