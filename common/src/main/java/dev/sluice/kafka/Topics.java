// SPDX-License-Identifier: Apache-2.0
package dev.sluice.kafka;

import dev.sluice.ConfigException;
import dev.sluice.SluiceException;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/** Finds, creates and checks topics. Each call waits at most the time it was given. */
public final class Topics implements AutoCloseable {
  /** Controllers refuse requests of more than some thousand partitions. */
  private static final int PARTITIONS_PER_REQUEST = 1_000;

  private static final long ASK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final Admin admin;
  private final KafkaSettings settings;
  private final Duration timeout;

  /**
   * @param timeout the longest that one call waits
   */
  public Topics(KafkaSettings settings, Duration timeout) {
    Map<String, Object> properties = settings.admin();
    properties.putIfAbsent("request.timeout.ms", "5000");
    properties.putIfAbsent("default.api.timeout.ms", Long.toString(timeout.toMillis()));
    properties.putIfAbsent("reconnect.backoff.max.ms", "500");
    this.admin = Admin.create(properties);
    this.settings = settings;
    this.timeout = timeout;
  }

  /**
   * The number of partitions of a topic, or empty if there is no such topic.
   *
   * @throws BrokerUnavailableException if no broker answers
   */
  public Optional<Integer> partitions(String topic) {
    try {
      return Optional.of(
          await(admin.describeTopics(List.of(topic)).topicNameValues().get(topic))
              .partitions()
              .size());
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        return Optional.empty();
      }
      throw failure("Topic " + topic + " cannot be described", e);
    }
  }

  /**
   * Creates the topics that are missing, and waits until their leaders answer. A producer that
   * sends before that may lose what it sends first: brokers without the fix of KAFKA-15591 refuse
   * one request and take the next one, after which the first fits nowhere.
   *
   * @param wanted partitions by topic
   * @throws ConfigException if they may not be created by this principal; the text has the commands
   *     for somebody who may
   * @throws BrokerUnavailableException if no broker answers
   */
  public void ensure(Map<String, Integer> wanted) {
    ensure(wanted, (short) 0, Map.of());
  }

  /**
   * Creates the topics that are missing like {@link #ensure(Map)}.
   *
   * @param replicas of those that are created; 0 for the brokers' default
   * @param configs of those that are created
   */
  public void ensure(Map<String, Integer> wanted, short replicas, Map<String, String> configs) {
    Map<String, Integer> missing = new HashMap<>();
    wanted.forEach(
        (topic, partitions) -> {
          if (partitions(topic).isEmpty()) {
            missing.put(topic, partitions);
          }
        });
    Map<String, Integer> batch = new HashMap<>();
    int partitions = 0;
    for (Map.Entry<String, Integer> topic : missing.entrySet()) {
      if (partitions + topic.getValue() > PARTITIONS_PER_REQUEST && !batch.isEmpty()) {
        create(batch, missing, replicas, configs);
        batch.clear();
        partitions = 0;
      }
      batch.put(topic.getKey(), topic.getValue());
      partitions += topic.getValue();
    }
    if (!batch.isEmpty()) {
      create(batch, missing, replicas, configs);
    }
  }

  private void create(
      Map<String, Integer> some,
      Map<String, Integer> missing,
      short replicas,
      Map<String, String> configs) {
    List<NewTopic> topics = new ArrayList<>();
    some.forEach(
        (topic, partitions) ->
            topics.add(
                new NewTopic(
                        topic,
                        Optional.of(partitions),
                        replicas == 0 ? Optional.empty() : Optional.of(replicas))
                    .configs(configs)));
    Map<String, KafkaFuture<Void>> created = admin.createTopics(topics).values();
    for (Map.Entry<String, KafkaFuture<Void>> topic : created.entrySet()) {
      try {
        await(topic.getValue());
      } catch (ExecutionException e) {
        if (e.getCause() instanceof AuthorizationException) {
          throw new ConfigException(howToCreate(missing, configs), e);
        }
        if (!(e.getCause() instanceof TopicExistsException)) {
          throw failure("Topic " + topic.getKey() + " cannot be created", e);
        }
      }
    }
    awaitLeaders(some);
  }

  private void awaitLeaders(Map<String, Integer> topics) {
    Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
    topics.forEach(
        (topic, partitions) -> {
          for (int i = 0; i < partitions; i++) {
            ends.put(new TopicPartition(topic, i), OffsetSpec.latest());
          }
        });
    long deadline = SystemClock.INSTANCE.nanos() + timeout.toNanos();
    while (true) {
      try {
        await(admin.listOffsets(ends).all());
        return;
      } catch (ExecutionException e) {
        // The brokers hear of a new topic one after the other, and this error is not tried again.
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)
            || SystemClock.INSTANCE.nanos() - deadline >= 0) {
          throw failure("The new topics " + topics.keySet() + " do not answer", e);
        }
        LockSupport.parkNanos(ASK_AGAIN_NANOS);
      }
    }
  }

  /**
   * Deletes what lies before these offsets; does not wait for it.
   *
   * @param forbidden told if this principal may not
   */
  public void deleteBefore(
      Map<TopicPartition, Long> offsets, Consumer<AuthorizationException> forbidden) {
    Map<TopicPartition, RecordsToDelete> records = new HashMap<>();
    offsets.forEach((id, offset) -> records.put(id, RecordsToDelete.beforeOffset(offset)));
    var ignored =
        admin
            .deleteRecords(records)
            .all()
            .whenComplete(
                (done, failure) -> {
                  if (failure instanceof AuthorizationException refused) {
                    forbidden.accept(refused);
                  }
                });
  }

  /** How many brokers the cluster has, at least 1. */
  public int brokers() {
    try {
      return Math.max(1, await(admin.describeCluster().nodes()).size());
    } catch (ExecutionException e) {
      throw failure("The cluster cannot be described", e);
    }
  }

  private String howToCreate(Map<String, Integer> missing, Map<String, String> configs) {
    StringBuilder options = new StringBuilder();
    configs.forEach((name, value) -> options.append(" --config " + name + "=" + value));
    StringBuilder text =
        new StringBuilder("These topics are missing and may not be created here: ");
    text.append(String.join(", ", missing.keySet()));
    text.append(". Let somebody who may run:");
    String brokers = settings.bootstrapServers();
    missing.forEach(
        (topic, partitions) ->
            text.append("\n  kafka-topics.sh --bootstrap-server ")
                .append(brokers)
                .append(" --create --topic ")
                .append(topic)
                .append(" --partitions ")
                .append(partitions)
                .append(options)
                .append("\n  kafka-acls.sh --bootstrap-server ")
                .append(brokers)
                .append(" --add --allow-principal <principal> --operation Read --operation Write")
                .append(" --operation Describe --topic ")
                .append(topic));
    return text.toString();
  }

  /**
   * Refuses topics that lose tasks by their configuration.
   *
   * @throws ConfigException if one is compacted: tasks of the same key would be deleted unworked
   */
  public void refuseCompacted(Collection<String> topics) {
    for (String topic : topics) {
      ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
      try {
        String policy =
            await(admin.describeConfigs(List.of(resource)).values().get(resource))
                .get("cleanup.policy")
                .value();
        if (policy.contains("compact")) {
          throw new ConfigException(
              "Topic "
                  + topic
                  + " has cleanup.policy="
                  + policy
                  + ": compaction deletes tasks that"
                  + " have the key of a later one before they are worked. Set cleanup.policy=delete,"
                  + " or use another topic.");
        }
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof AuthorizationException)) {
          throw failure("The configuration of topic " + topic + " cannot be read", e);
        }
        // Without the right to see it, it cannot be checked; the operator has been trusted so far.
      }
    }
  }

  private <T> T await(@Nullable KafkaFuture<T> future) throws ExecutionException {
    if (future == null) {
      throw new IllegalStateException("The admin client did not answer for what it was asked");
    }
    try {
      return future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw unavailable(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SluiceException("Interrupted while waiting for " + settings.bootstrapServers(), e);
    }
  }

  private SluiceException failure(String what, ExecutionException e) {
    Throwable cause = e.getCause();
    if (cause instanceof org.apache.kafka.common.errors.TimeoutException) {
      return unavailable(cause);
    }
    return new SluiceException(what + ": " + (cause == null ? e : cause).getMessage(), cause);
  }

  private BrokerUnavailableException unavailable(Throwable cause) {
    return new BrokerUnavailableException(
        "No Kafka broker answers at "
            + settings.bootstrapServers()
            + " (waited "
            + timeout.toSeconds()
            + " s). Is it running there? Name the brokers with"
            + " -b HOST:PORT; './sluice kafka' starts one on this machine.",
        cause);
  }

  @Override
  public void close() {
    admin.close(Duration.ofSeconds(1));
  }
}
