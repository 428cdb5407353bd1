// SPDX-License-Identifier: Apache-2.0
package dev.sluice.delay.kafka;

import dev.sluice.flow.delay.DelayLevels;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.queue.FleetDefinition;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.utils.Utils;

/**
 * The topics that delayed tasks wait in: one for each length, and those of cancellations and beats.
 * Partition {@code n} of all of them is shard {@code n}, which one process serves at a time; a task
 * stays in the shard that its id picks. Immutable.
 */
public final class DelayTopics {
  private static final int SAFE_REPLICAS = 3;
  private final String prefix;
  private final FleetDefinition fleet;

  /** The topics of a fleet. */
  public DelayTopics(FleetDefinition fleet) {
    this.prefix = fleet.delayTopics();
    this.fleet = fleet;
  }

  /** The topic of a length. */
  public String level(int level) {
    return prefix + "." + DelayLevels.name(level);
  }

  /** Who serves what, said some times a second; one partition. */
  public String beats() {
    return prefix + ".beats";
  }

  /** What is asked to be cancelled. */
  public String cancelRequests() {
    return prefix + ".cancel";
  }

  /** What was answered, and what is not to run; compacted. */
  public String cancelled() {
    return prefix + ".cancelled";
  }

  /** Where the batches of delayed tasks are counted. */
  public String batches() {
    return fleet.batchesTopic();
  }

  /** The recurring tasks, and up to when they were fired; compacted. */
  public String schedules() {
    return prefix + ".schedules";
  }

  /** The group under which it is committed how far the levels were served. */
  public String group() {
    return prefix;
  }

  /** Under which the brokers fence all but one that serve a shard. */
  public String transactionalId(int shard) {
    return prefix + "-" + shard;
  }

  /** The shard of a task. */
  public static int shardOf(String id, int shards) {
    return Utils.toPositive(Utils.murmur2(Utils.utf8(id))) % shards;
  }

  /** How many shards there are; empty where nothing was ever delayed. */
  public Optional<Integer> shards(Topics topics) {
    // The last one that is created: then all are there.
    return topics.partitions(beats()).flatMap(ignored -> topics.partitions(level(0)));
  }

  /**
   * Creates what is missing.
   *
   * @return how many shards there are
   * @throws dev.sluice.ConfigException if they may not be created
   * @throws dev.sluice.kafka.BrokerUnavailableException if no broker answers
   */
  public int ensure(KafkaSettings kafka, Duration timeout) {
    try (Topics topics = new Topics(kafka, timeout)) {
      Optional<Integer> known = shards(topics);
      if (known.isPresent()) {
        return known.get();
      }
      int replicas = fleet.replicationFactor();
      if (replicas == 0) {
        replicas = Math.min(SAFE_REPLICAS, topics.brokers());
      }
      int shards = topics.partitions(level(0)).orElse(fleet.delayShards());
      Map<String, Integer> levels = new LinkedHashMap<>();
      for (int i = 0; i < DelayLevels.count(); i++) {
        levels.put(level(i), shards);
      }
      levels.put(cancelRequests(), shards);
      Map<String, String> configs = new LinkedHashMap<>();
      configs.put("min.insync.replicas", replicas >= SAFE_REPLICAS ? "2" : "1");
      configs.put("unclean.leader.election.enable", "false");
      // The order of the log is then the order in which tasks are due, whatever clocks say.
      configs.put("message.timestamp.type", "LogAppendTime");
      // What was served is deleted by who served it; nothing goes because it is old.
      configs.put("cleanup.policy", "delete");
      configs.put("retention.ms", "-1");
      configs.put("retention.bytes", "-1");
      configs.put("segment.bytes", Integer.toString(64 << 20));
      topics.ensure(levels, (short) replicas, configs);
      configs.put("cleanup.policy", "compact");
      configs.put("min.cleanable.dirty.ratio", "0.1");
      configs.put("segment.bytes", Integer.toString(8 << 20));
      topics.ensure(Map.of(cancelled(), shards, schedules(), shards), (short) replicas, configs);
      configs.remove("min.cleanable.dirty.ratio");
      configs.put("cleanup.policy", "delete");
      configs.put("retention.ms", Long.toString(TimeUnit.MINUTES.toMillis(10)));
      configs.put("segment.ms", Long.toString(TimeUnit.MINUTES.toMillis(5)));
      topics.ensure(Map.of(beats(), 1), (short) replicas, configs);
      return shards;
    }
  }
}
