// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import dev.sluice.ConfigException;
import java.time.Duration;

/**
 * How the processes of a fleet find each other. All processes of a fleet must agree on the topics.
 * Immutable.
 *
 * @param lease how long a share of a fleet limit is valid without renewal; 1 s to 1 min, default 5
 *     s
 * @param reportsTopic what processes report; default {@code sluice.reports}
 * @param grantsTopic what the coordinator grants; default {@code sluice.grants}
 * @param settingsTopic what operators set; default {@code sluice.settings}
 * @param grantsPartitions where Sluice creates it, about one for 40 processes; 1 to 1,000, default
 *     8
 * @param reportsPartitions where Sluice creates it; 1 to 1,000, default 8
 * @param replicationFactor where Sluice creates them; 0, the default, is the number of brokers, at
 *     most 3
 */
public record FleetDefinition(
    Duration lease,
    String reportsTopic,
    String grantsTopic,
    String settingsTopic,
    int grantsPartitions,
    int reportsPartitions,
    int replicationFactor) {
  /** All defaults. */
  public static final FleetDefinition DEFAULT =
      new FleetDefinition(
          Duration.ofSeconds(5), "sluice.reports", "sluice.grants", "sluice.settings", 8, 8, 0);

  public FleetDefinition {
    Ranges.check("lease", lease, Duration.ofSeconds(1), Duration.ofMinutes(1));
    Ranges.check("grantsPartitions", grantsPartitions, 1, 1_000);
    Ranges.check("reportsPartitions", reportsPartitions, 1, 1_000);
    Ranges.check("replicationFactor", replicationFactor, 0, 100);
    if (reportsTopic.equals(grantsTopic)
        || grantsTopic.equals(settingsTopic)
        || settingsTopic.equals(reportsTopic)) {
      throw new ConfigException(
          "reportsTopic, grantsTopic and settingsTopic of the fleet are '"
              + reportsTopic
              + "', '"
              + grantsTopic
              + "' and '"
              + settingsTopic
              + "'; they must be three topics");
    }
  }
}
