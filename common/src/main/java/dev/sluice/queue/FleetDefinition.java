// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import dev.sluice.ConfigException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;

/**
 * How the processes of a fleet find each other. All processes of a fleet must agree on the topics.
 * Immutable.
 *
 * @param lease how long a share of a fleet limit is valid without renewal; 1 s to 1 min, default 5
 *     s
 * @param reportsTopic what processes report; default {@code sluice.reports}
 * @param grantsTopic what the coordinator grants; default {@code sluice.grants}
 * @param settingsTopic what operators set; default {@code sluice.settings}
 * @param ledgerTopic what is done and has no room elsewhere, as which dead letters were run again;
 *     default {@code sluice.ledger}
 * @param batchesTopic what batches have counted; default {@code sluice.batches}
 * @param grantsPartitions where Sluice creates it, about one for 40 processes; 1 to 1,000, default
 *     8
 * @param reportsPartitions where Sluice creates it; 1 to 1,000, default 8
 * @param delayTopics how the names of the delay topics begin; default {@code sluice.delay}
 * @param delayShards the partitions of the delay topics where Sluice creates them: so many
 *     processes can serve delayed tasks at once; 1 to 100, default 2
 * @param replicationFactor where Sluice creates them; 0, the default, is the number of brokers, at
 *     most 3
 */
public record FleetDefinition(
    Duration lease,
    String reportsTopic,
    String grantsTopic,
    String settingsTopic,
    String ledgerTopic,
    String batchesTopic,
    int grantsPartitions,
    int reportsPartitions,
    String delayTopics,
    int delayShards,
    int replicationFactor) {
  /** All defaults. */
  public static final FleetDefinition DEFAULT =
      new FleetDefinition(
          Duration.ofSeconds(5),
          "sluice.reports",
          "sluice.grants",
          "sluice.settings",
          "sluice.ledger",
          "sluice.batches",
          8,
          8,
          "sluice.delay",
          2,
          0);

  public FleetDefinition {
    Ranges.check("lease", lease, Duration.ofSeconds(1), Duration.ofMinutes(1));
    Ranges.check("grantsPartitions", grantsPartitions, 1, 1_000);
    Ranges.check("reportsPartitions", reportsPartitions, 1, 1_000);
    Ranges.check("delayShards", delayShards, 1, 100);
    if (!delayTopics.matches("[a-zA-Z0-9._-]{1,200}")) {
      throw new ConfigException(
          "delayTopics of the fleet is '"
              + delayTopics
              + "'; it begins the names of topics, so it has 1 to 200 of a-z, A-Z, 0-9, '.', '_'"
              + " and '-'");
    }
    Ranges.check("replicationFactor", replicationFactor, 0, 100);
    List<String> topics =
        List.of(reportsTopic, grantsTopic, settingsTopic, ledgerTopic, batchesTopic);
    if (new HashSet<>(topics).size() < topics.size()) {
      throw new ConfigException(
          "reportsTopic, grantsTopic, settingsTopic, ledgerTopic and batchesTopic of the fleet are "
              + topics
              + "; they must be five topics");
    }
  }
}
