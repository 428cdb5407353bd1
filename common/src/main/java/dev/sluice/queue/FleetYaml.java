// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import java.time.Duration;
import java.util.Optional;

/** Reads what concerns the fleet. */
final class FleetYaml {
  private FleetYaml() {}

  static FleetDefinition fleet(YamlObject o) {
    FleetDefinition d = FleetDefinition.DEFAULT;
    Optional<Duration> lease = o.duration("lease");
    Optional<String> reports = o.text("reportsTopic");
    Optional<String> grants = o.text("grantsTopic");
    Optional<String> settings = o.text("settingsTopic");
    Optional<String> ledger = o.text("ledgerTopic");
    Optional<String> batches = o.text("batchesTopic");
    Optional<Integer> grantsPartitions = o.integer("grantsPartitions");
    Optional<Integer> reportsPartitions = o.integer("reportsPartitions");
    Optional<String> delays = o.text("delayTopics");
    Optional<Integer> shards = o.integer("delayShards");
    Optional<Integer> replicas = o.integer("replicationFactor");
    o.checkNothingElse();
    return o.checked(
        () ->
            new FleetDefinition(
                lease.orElse(d.lease()),
                reports.orElse(d.reportsTopic()),
                grants.orElse(d.grantsTopic()),
                settings.orElse(d.settingsTopic()),
                ledger.orElse(d.ledgerTopic()),
                batches.orElse(d.batchesTopic()),
                grantsPartitions.orElse(d.grantsPartitions()),
                reportsPartitions.orElse(d.reportsPartitions()),
                delays.orElse(d.delayTopics()),
                shards.orElse(d.delayShards()),
                replicas.orElse(d.replicationFactor())));
  }

  static CapacityDefinition capacity(YamlObject o) {
    Optional<Long> tasks = o.value("capacity", text -> Long.valueOf(text.replace("_", "")));
    Optional<Duration> target = o.duration("targetDelay");
    return o.checked(() -> new CapacityDefinition(tasks.orElse(0L), target));
  }

  /** Each limit as a mapping, or as its one number. */
  static FleetLimitsDefinition limits(YamlObject o) {
    Optional<FleetRateDefinition> rate =
        o.isObject("fleetRate")
            ? o.object("fleetRate").map(FleetYaml::rate)
            : o.number("fleetRate").map(n -> o.checked(() -> FleetRateDefinition.perSecond(n)));
    Optional<FleetConcurrencyDefinition> concurrency =
        o.isObject("fleetConcurrency")
            ? o.object("fleetConcurrency").map(FleetYaml::concurrency)
            : o.integer("fleetConcurrency")
                .map(n -> o.checked(() -> new FleetConcurrencyDefinition(n, FleetMode.SOFT)));
    return new FleetLimitsDefinition(rate, concurrency);
  }

  private static FleetRateDefinition rate(YamlObject o) {
    Optional<Double> rate = o.number("rate");
    Optional<Long> burst = o.value("burst", text -> Long.valueOf(text.replace("_", "")));
    o.checkNothingElse();
    double perSecond = o.required("rate", rate);
    return o.checked(
        () ->
            burst
                .map(b -> new FleetRateDefinition(perSecond, b))
                .orElseGet(() -> FleetRateDefinition.perSecond(perSecond)));
  }

  private static FleetConcurrencyDefinition concurrency(YamlObject o) {
    Optional<Integer> limit = o.integer("limit");
    Optional<FleetMode> mode = o.choice("mode", FleetMode.class);
    o.checkNothingElse();
    int tasks = o.required("limit", limit);
    return o.checked(() -> new FleetConcurrencyDefinition(tasks, mode.orElse(FleetMode.SOFT)));
  }
}
