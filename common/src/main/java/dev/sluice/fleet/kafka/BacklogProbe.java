// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.kafka;

import dev.sluice.fleet.CoordinatorState;
import dev.sluice.fleet.DeclaredQueue;
import dev.sluice.fleet.FleetSettings;
import dev.sluice.flow.credit.CreditBook;
import dev.sluice.flow.ledger.DoneRanges;
import dev.sluice.flow.ledger.LedgerCodec;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads from the brokers how many tasks of each bounded queue have ended and how many there are:
 * the commits of its workers first, then the ends of its log, so that what is stale makes the
 * backlog too large, not too small. One round of requests at a time for all queues. Used by the
 * coordinator's thread.
 */
final class BacklogProbe implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BacklogProbe.class);
  private static final long EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long GIVE_UP_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final long DESCRIBE_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Admin admin;
  private final Clock clock;
  private final Map<String, TopicDescription> topics = new HashMap<>();
  private final Map<TopicPartition, Long> beginnings = new HashMap<>();
  private long describedNanos;
  private boolean described;
  private long askedNanos;
  private boolean asked;
  private @Nullable Round round;

  private static final class Round {
    final long begunNanos;
    final Map<String, CreditBook.Sample> samples = new HashMap<>();
    final Map<String, DeclaredQueue> queues = new HashMap<>();
    @Nullable KafkaFuture<Map<String, TopicDescription>> descriptions;
    @Nullable KafkaFuture<Map<String, Map<TopicPartition, OffsetAndMetadata>>> commits;
    @Nullable KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> begins;
    @Nullable KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> ends;

    Round(long begunNanos) {
      this.begunNanos = begunNanos;
    }
  }

  BacklogProbe(KafkaSettings kafka, Clock clock) {
    Map<String, Object> properties = kafka.admin();
    properties.put("request.timeout.ms", "2000");
    properties.put("default.api.timeout.ms", "4000");
    properties.putIfAbsent("reconnect.backoff.max.ms", "500");
    this.admin = Admin.create(properties);
    this.clock = clock;
  }

  /** Takes the next step of the present round, or begins one. */
  void turn(CoordinatorState state, FleetSettings settings, long nowNanos) {
    Round present = round;
    try {
      if (present == null) {
        begin(state, settings, nowNanos);
      } else if (advance(present, state, nowNanos)
          || nowNanos - present.begunNanos > GIVE_UP_NANOS) {
        round = null;
      }
    } catch (RuntimeException e) {
      LOG.debug("The backlog could not be read; it is asked for again", e);
      round = null;
      described = false;
    }
  }

  private void begin(CoordinatorState state, FleetSettings settings, long nowNanos) {
    if (asked && nowNanos - askedNanos < EVERY_NANOS) {
      return;
    }
    asked = true;
    askedNanos = nowNanos;
    Round fresh = new Round(nowNanos);
    for (String queue : state.bounded()) {
      DeclaredQueue declared = settings.declared().get(queue);
      CreditBook.Sample sample = state.sample(queue);
      if (declared != null && sample != null) {
        fresh.queues.put(queue, declared);
        fresh.samples.put(queue, sample);
      }
    }
    if (fresh.queues.isEmpty()) {
      return;
    }
    round = fresh;
    if (!described || nowNanos - describedNanos > DESCRIBE_NANOS) {
      List<String> names = fresh.queues.values().stream().map(DeclaredQueue::topic).toList();
      fresh.descriptions = admin.describeTopics(names).allTopicNames();
    } else {
      askCommits(fresh);
    }
  }

  private void askCommits(Round present) {
    Map<String, ListConsumerGroupOffsetsSpec> specs = new HashMap<>();
    for (DeclaredQueue queue : present.queues.values()) {
      specs.put(queue.group(), new ListConsumerGroupOffsetsSpec());
    }
    present.commits = admin.listConsumerGroupOffsets(specs).all();
  }

  /** Returns whether the round is over. */
  private boolean advance(Round present, CoordinatorState state, long nowNanos) {
    KafkaFuture<Map<String, TopicDescription>> descriptions = present.descriptions;
    if (descriptions != null && present.commits == null) {
      Map<String, TopicDescription> answer = answer(descriptions);
      if (answer == null) {
        return false;
      }
      describedAs(answer, state, present, nowNanos);
      askCommits(present);
      return false;
    }
    KafkaFuture<Map<String, Map<TopicPartition, OffsetAndMetadata>>> commits = present.commits;
    Map<String, Map<TopicPartition, OffsetAndMetadata>> committed =
        commits == null ? null : answer(commits);
    if (committed == null) {
      return false;
    }
    if (present.ends == null) {
      askEnds(present);
      return false;
    }
    Map<TopicPartition, ListOffsetsResultInfo> ends = answer(present.ends);
    Map<TopicPartition, ListOffsetsResultInfo> begins =
        present.begins == null ? Map.of() : answer(present.begins);
    if (ends == null || begins == null) {
      return false;
    }
    begins.forEach((id, info) -> beginnings.put(id, info.offset()));
    tell(present, committed, ends, state);
    return true;
  }

  private static <T> @Nullable T answer(KafkaFuture<T> future) {
    if (!future.isDone()) {
      return null;
    }
    try {
      return future.get(0, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  private void describedAs(
      Map<String, TopicDescription> answer, CoordinatorState state, Round present, long nowNanos) {
    for (Map.Entry<String, DeclaredQueue> queue : present.queues.entrySet()) {
      TopicDescription now = answer.get(queue.getValue().topic());
      TopicDescription before = topics.get(queue.getValue().topic());
      if (now != null && before != null && !now.topicId().equals(before.topicId())) {
        LOG.warn("Topic {} was made anew; its backlog is counted afresh", now.name());
        state.resetBacklog(queue.getKey());
        beginnings.keySet().removeIf(id -> id.topic().equals(now.name()));
      }
    }
    topics.putAll(answer);
    beginnings.clear(); // retention moves them
    described = true;
    describedNanos = nowNanos;
  }

  private void askEnds(Round present) {
    Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
    Map<TopicPartition, OffsetSpec> earliest = new HashMap<>();
    for (DeclaredQueue queue : present.queues.values()) {
      for (TopicPartition id : partitions(queue)) {
        latest.put(id, OffsetSpec.latest());
        if (!beginnings.containsKey(id)) {
          earliest.put(id, OffsetSpec.earliest());
        }
      }
    }
    present.begins = earliest.isEmpty() ? null : admin.listOffsets(earliest).all();
    present.ends = admin.listOffsets(latest).all();
  }

  private List<TopicPartition> partitions(DeclaredQueue queue) {
    TopicDescription topic = topics.get(queue.topic());
    List<TopicPartition> ids = new ArrayList<>();
    if (topic != null) {
      topic.partitions().forEach(p -> ids.add(new TopicPartition(queue.topic(), p.partition())));
    }
    return ids;
  }

  private void tell(
      Round present,
      Map<String, Map<TopicPartition, OffsetAndMetadata>> commits,
      Map<TopicPartition, ListOffsetsResultInfo> ends,
      CoordinatorState state) {
    long now = clock.nanos();
    present.queues.forEach(
        (name, queue) -> {
          Map<TopicPartition, OffsetAndMetadata> committed =
              commits.getOrDefault(queue.group(), Map.of());
          long finished = 0;
          long appended = 0;
          for (TopicPartition id : partitions(queue)) {
            ListOffsetsResultInfo end = ends.get(id);
            long begin = beginnings.getOrDefault(id, 0L);
            OffsetAndMetadata commit = committed.get(id);
            appended += end == null ? 0 : end.offset();
            finished += commit == null ? begin : Math.max(begin, done(commit));
          }
          CreditBook.Sample sample = present.samples.get(name);
          if (sample != null && !partitions(queue).isEmpty()) {
            state.sampled(name, sample, finished, appended, now);
          }
        });
  }

  /** All below the committed position, and what the metadata says is done behind it. */
  private static long done(OffsetAndMetadata commit) {
    Optional<DoneRanges> behind = LedgerCodec.decode(commit.offset(), commit.metadata());
    return commit.offset() + behind.map(DoneRanges::size).orElse(0L);
  }

  @Override
  public void close() {
    admin.close(Duration.ofMillis(500));
  }
}
