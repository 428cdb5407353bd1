// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.kafka;

import dev.sluice.ConfigException;
import dev.sluice.SluiceException;
import dev.sluice.flow.lease.LeaseTimes;
import dev.sluice.kafka.BrokerUnavailableException;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.queue.FleetDefinition;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/** Finds, creates and checks the control topics. Each call waits a bounded time. */
public final class ControlTopics implements AutoCloseable {
  private static final long COMPACTION_LAGS = 4;
  private static final Duration COMPACTION_LAG_LEAST = Duration.ofMinutes(2);
  private static final int SAFE_REPLICAS = 3;

  private final Admin admin;
  private final Topics topics;
  private final FleetDefinition fleet;
  private final Duration timeout;

  /**
   * The control topics as they are.
   *
   * @param grantsId the id of the grants topic
   * @param grantsPartitions its partitions
   * @param reportsPartitions those of the reports topic
   */
  public record Found(String grantsId, int grantsPartitions, int reportsPartitions) {}

  /**
   * @param timeout the longest that one request waits
   */
  public ControlTopics(KafkaSettings kafka, FleetDefinition fleet, Duration timeout) {
    Map<String, Object> properties = kafka.admin();
    properties.putIfAbsent("request.timeout.ms", "5000");
    properties.putIfAbsent("default.api.timeout.ms", Long.toString(timeout.toMillis()));
    properties.putIfAbsent("reconnect.backoff.max.ms", "500");
    this.admin = Admin.create(properties);
    this.topics = new Topics(kafka, timeout);
    this.fleet = fleet;
    this.timeout = timeout;
  }

  /**
   * Creates what is missing, and checks what is there.
   *
   * @param holdNanos how much longer than its lease a share may be in use
   * @throws ConfigException if a topic is missing and may not be created, or if it is configured so
   *     that limits could break
   * @throws BrokerUnavailableException if no broker answers
   */
  public Found ensure(long holdNanos) {
    int replicas = fleet.replicationFactor();
    if (find() == null) {
      if (replicas == 0) {
        replicas = Math.min(SAFE_REPLICAS, brokers());
      }
      Map<String, Integer> wanted = new LinkedHashMap<>();
      wanted.put(fleet.grantsTopic(), fleet.grantsPartitions());
      wanted.put(fleet.reportsTopic(), fleet.reportsPartitions());
      wanted.put(fleet.settingsTopic(), 1);
      topics.ensure(wanted, (short) replicas, configs(replicas, holdNanos));
    }
    check(holdNanos);
    Found found = find();
    if (found == null) {
      throw new SluiceException(
          "The control topics " + names() + " were created and are not there; trying again helps");
    }
    return found;
  }

  private List<String> names() {
    return List.of(fleet.grantsTopic(), fleet.reportsTopic(), fleet.settingsTopic());
  }

  private Map<String, String> configs(int replicas, long holdNanos) {
    Map<String, String> configs = new LinkedHashMap<>();
    configs.put("cleanup.policy", "compact");
    configs.put("message.timestamp.type", "LogAppendTime");
    long lag = Math.max(COMPACTION_LAG_LEAST.toMillis(), lagMillis(holdNanos));
    configs.put("min.compaction.lag.ms", Long.toString(lag));
    configs.put("segment.bytes", Integer.toString(8 << 20));
    // Whoever takes over reads all that is not compacted yet.
    configs.put("segment.ms", Long.toString(TimeUnit.MINUTES.toMillis(1)));
    configs.put("min.cleanable.dirty.ratio", "0.1");
    configs.put("delete.retention.ms", Long.toString(TimeUnit.MINUTES.toMillis(10)));
    configs.put("unclean.leader.election.enable", "false");
    configs.put("min.insync.replicas", replicas >= SAFE_REPLICAS ? "2" : "1");
    return configs;
  }

  private long lagMillis(long holdNanos) {
    long window = LeaseTimes.readBackWindowNanos(fleet.lease().toNanos(), holdNanos);
    return Math.max(
        COMPACTION_LAGS * fleet.lease().toMillis(), TimeUnit.NANOSECONDS.toMillis(window) + 1);
  }

  /** The control topics, or null if one of them is missing. */
  public @Nullable Found find() {
    try {
      Map<String, TopicDescription> all = await(admin.describeTopics(names()).allTopicNames());
      TopicDescription grants = all.get(fleet.grantsTopic());
      TopicDescription reports = all.get(fleet.reportsTopic());
      if (grants == null || reports == null) {
        return null;
      }
      return new Found(
          grants.topicId().toString(), grants.partitions().size(), reports.partitions().size());
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        return null;
      }
      throw failure("The control topics " + names() + " cannot be described", e);
    }
  }

  /** Refuses topics that could lose grants before they are over. */
  private void check(long holdNanos) {
    List<ConfigResource> resources =
        names().stream().map(n -> new ConfigResource(ConfigResource.Type.TOPIC, n)).toList();
    try {
      await(admin.describeConfigs(resources).all())
          .forEach((resource, config) -> check(resource.name(), config, holdNanos));
    } catch (ExecutionException e) {
      if (e.getCause() instanceof AuthorizationException) {
        return; // without the right to see it, it cannot be checked
      }
      if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
        throw failure("The configuration of the control topics cannot be read", e);
      }
    }
  }

  private void check(String topic, Config config, long holdNanos) {
    refuseUnless(topic, "cleanup.policy", "compact", value(config, "cleanup.policy"));
    if (topic.equals(fleet.settingsTopic())) {
      return;
    }
    String lag = value(config, "min.compaction.lag.ms");
    if (lag.isEmpty() || Long.parseLong(lag) < lagMillis(holdNanos)) {
      throw new ConfigException(
          "Topic "
              + topic
              + " has min.compaction.lag.ms="
              + lag
              + "; a new coordinator must find what was granted in the last "
              + fleet.lease()
              + (holdNanos == 0 ? "" : ", and longer where a limit on concurrency is strict")
              + ", so it must be at least "
              + lagMillis(holdNanos)
              + ". Set it with kafka-configs.sh, or name another topic in the fleet section.");
    }
  }

  private static void refuseUnless(String topic, String name, String wanted, String present) {
    if (!present.equals(wanted)) {
      throw new ConfigException(
          "Topic "
              + topic
              + " has "
              + name
              + "="
              + present
              + "; the fleet needs "
              + name
              + "="
              + wanted
              + ", or what was set and granted is forgotten. Set it with kafka-configs.sh, or name"
              + " another topic in the fleet section.");
    }
  }

  private static String value(Config config, String name) {
    ConfigEntry entry = config.get(name);
    return entry == null || entry.value() == null ? "" : entry.value();
  }

  private int brokers() {
    try {
      return Math.max(1, await(admin.describeCluster().nodes()).size());
    } catch (ExecutionException e) {
      throw failure("The cluster cannot be described", e);
    }
  }

  private <T> T await(KafkaFuture<T> future) throws ExecutionException {
    try {
      return future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new BrokerUnavailableException(
          "No Kafka broker answered for the control topics within " + timeout, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SluiceException("Interrupted while looking for the control topics", e);
    }
  }

  private static SluiceException failure(String what, ExecutionException e) {
    Throwable cause = e.getCause();
    if (cause instanceof org.apache.kafka.common.errors.TimeoutException) {
      return new BrokerUnavailableException(what + ": " + cause.getMessage(), cause);
    }
    return new SluiceException(what + ": " + (cause == null ? e : cause).getMessage(), cause);
  }

  @Override
  public void close() {
    topics.close();
    admin.close(Duration.ofSeconds(1));
  }
}
