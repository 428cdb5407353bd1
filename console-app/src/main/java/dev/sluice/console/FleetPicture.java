// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console;

import dev.sluice.fleet.FleetSettings;
import dev.sluice.fleet.GrantBatch;
import dev.sluice.fleet.Report;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A fleet at one moment, as its control topics show it.
 *
 * @param settings how queues are declared, and what operators have set
 * @param reports the last report of each process that is there
 * @param ages how many milliseconds ago each report was written, by incarnation
 * @param coordinator the last sign of life of the coordinator
 * @param coordinatorAgeMillis how long ago that was
 */
public record FleetPicture(
    FleetSettings settings,
    List<Report> reports,
    Map<String, Long> ages,
    Optional<GrantBatch> coordinator,
    long coordinatorAgeMillis) {
  /** A process that has not reported for so long is taken for gone. */
  public static final long GONE_MILLIS = 15_000;

  /** Copies the lists. */
  public FleetPicture {
    reports = List.copyOf(reports);
    ages = Map.copyOf(ages);
  }

  /** The name of the process that coordinates, or its incarnation where that does not report. */
  public Optional<String> coordinatorName() {
    return coordinator
        .filter(batch -> coordinatorAgeMillis < GONE_MILLIS)
        .map(batch -> batch.epoch().incarnation())
        .map(
            incarnation ->
                reports.stream()
                    .filter(report -> report.incarnation().equals(incarnation))
                    .map(Report::name)
                    .findFirst()
                    .orElse(incarnation));
  }
}
