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
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsResult;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads from the brokers how many tasks of each bounded queue have ended and how many there are:
 * the commits of its workers first, then the ends of its log, so that what is stale makes the
 * backlog too large, not too small. One round of requests at a time for all queues; a queue of
 * which something cannot be read is left out of it. Used by the coordinator's thread.
 */
final class BacklogProbe implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BacklogProbe.class);
  private static final long EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long OFTEN_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
  private static final long GIVE_UP_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(750);
  private static final long WARN_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final long WARN_AGAIN_NANOS = TimeUnit.MINUTES.toNanos(5);
  private static final long DESCRIBE_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Admin admin;
  private final Clock clock;
  private final Map<String, TopicDescription> topics = new HashMap<>();
  private final Map<String, Uuid> topicIds = new HashMap<>();
  private final Map<String, Blind> blind = new HashMap<>();
  private final Map<TopicPartition, Long> beginnings = new HashMap<>();
  private long describedNanos;
  private boolean described;
  private long askedNanos;
  private boolean asked;
  private @Nullable Round round;

  /** A queue whose backlog is not known: since when, and when people are told of it. */
  private static final class Blind {
    final long sinceNanos;
    long tellNanos;

    Blind(long nowNanos) {
      this.sinceNanos = nowNanos;
      this.tellNanos = nowNanos + WARN_NANOS;
    }
  }

  /** Futures of their own for each topic, group and partition: one that fails is one queue's. */
  private static final class Round {
    final long begunNanos;
    final Map<String, CreditBook.Sample> samples = new HashMap<>();
    final Map<String, DeclaredQueue> queues = new HashMap<>();
    final Map<Object, Throwable> troubles = new HashMap<>();
    long askedNanos;
    Map<String, KafkaFuture<TopicDescription>> descriptions = Map.of();
    @Nullable Map<String, KafkaFuture<Map<TopicPartition, OffsetAndMetadata>>> commits;
    @Nullable Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> ends;
    Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> begins = Map.of();

    Round(long begunNanos) {
      this.begunNanos = begunNanos;
      this.askedNanos = begunNanos;
    }

    /** Whether all is answered, or was waited for long enough: a part without a leader is not. */
    boolean over(Map<?, ? extends KafkaFuture<?>> futures, long nowNanos) {
      return nowNanos - askedNanos > STEP_NANOS
          || futures.values().stream().allMatch(KafkaFuture::isDone);
    }

    /** What was answered; what failed is not there. */
    <K, T> Map<K, T> answers(Map<K, KafkaFuture<T>> futures) {
      Map<K, T> values = new HashMap<>();
      futures.forEach(
          (key, future) -> {
            try {
              values.put(key, future.get(0, TimeUnit.MILLISECONDS));
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            } catch (ExecutionException | TimeoutException e) {
              troubles.put(key, e.getCause() == null ? e : e.getCause());
            }
          });
      return values;
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
    long every = state.childrenWait() ? OFTEN_NANOS : EVERY_NANOS;
    if (asked && nowNanos - askedNanos < every) {
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
      Set<String> names =
          fresh.queues.values().stream()
              .flatMap(queue -> queue.topics().stream())
              .collect(Collectors.toSet());
      fresh.descriptions = admin.describeTopics(names).topicNameValues();
    } else {
      askCommits(fresh);
    }
  }

  private void askCommits(Round present) {
    Map<String, ListConsumerGroupOffsetsSpec> specs = new HashMap<>();
    for (DeclaredQueue queue : present.queues.values()) {
      specs.put(queue.group(), new ListConsumerGroupOffsetsSpec());
    }
    ListConsumerGroupOffsetsResult asked = admin.listConsumerGroupOffsets(specs);
    Map<String, KafkaFuture<Map<TopicPartition, OffsetAndMetadata>>> answers = new HashMap<>();
    specs.keySet().forEach(group -> answers.put(group, asked.partitionsToOffsetAndMetadata(group)));
    present.commits = answers;
  }

  /** Returns whether the round is over. */
  private boolean advance(Round present, CoordinatorState state, long nowNanos) {
    var commits = present.commits;
    if (commits == null) {
      if (present.over(present.descriptions, nowNanos)) {
        describedAs(present.answers(present.descriptions), state, present, nowNanos);
        askCommits(present);
        present.askedNanos = nowNanos;
      }
      return false;
    }
    if (!present.over(commits, nowNanos)) {
      return false;
    }
    var ends = present.ends;
    if (ends == null) {
      // Only now: what ended was asked for first.
      askEnds(present);
      present.askedNanos = nowNanos;
      return false;
    }
    if (!present.over(ends, nowNanos) || !present.over(present.begins, nowNanos)) {
      return false;
    }
    present.answers(present.begins).forEach((id, info) -> beginnings.put(id, info.offset()));
    tell(present, present.answers(commits), present.answers(ends), state);
    return true;
  }

  private void describedAs(
      Map<String, TopicDescription> answer, CoordinatorState state, Round present, long nowNanos) {
    for (Map.Entry<String, DeclaredQueue> queue : present.queues.entrySet()) {
      for (String topic : queue.getValue().topics()) {
        TopicDescription now = answer.get(topic);
        Uuid before = now == null ? null : topicIds.put(now.name(), now.topicId());
        if (now != null && before != null && !now.topicId().equals(before)) {
          LOG.warn("Topic {} was made anew; its backlog is counted afresh", now.name());
          state.resetBacklog(queue.getKey());
        }
      }
    }
    // One that is gone is not to be counted by what it was; one of which nothing is heard is.
    topics
        .keySet()
        .removeIf(t -> present.troubles.get(t) instanceof UnknownTopicOrPartitionException);
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
    present.begins = offsets(earliest);
    present.ends = offsets(latest);
  }

  private Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> offsets(
      Map<TopicPartition, OffsetSpec> wanted) {
    Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> answers = new HashMap<>();
    if (!wanted.isEmpty()) {
      ListOffsetsResult asked = admin.listOffsets(wanted);
      wanted.keySet().forEach(id -> answers.put(id, asked.partitionResult(id)));
    }
    return answers;
  }

  private List<TopicPartition> partitions(DeclaredQueue queue) {
    List<TopicPartition> ids = new ArrayList<>();
    for (String name : queue.topics()) {
      TopicDescription topic = topics.get(name);
      if (topic == null) {
        return List.of(); // a part of it would be too little
      }
      topic.partitions().forEach(p -> ids.add(new TopicPartition(name, p.partition())));
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
          Map<TopicPartition, OffsetAndMetadata> committed = commits.get(queue.group());
          List<TopicPartition> all = partitions(queue);
          CreditBook.Sample sample = present.samples.get(name);
          boolean known =
              !all.isEmpty()
                  && all.stream()
                      .allMatch(id -> ends.containsKey(id) && beginnings.containsKey(id));
          if (committed == null || !known || sample == null) {
            // Nothing new is granted for it until it can be counted.
            blind(queue, all, present, now);
            return;
          }
          blind.remove(name);
          long finished = 0;
          long appended = 0;
          for (TopicPartition id : all) {
            long begin = beginnings.getOrDefault(id, 0L);
            OffsetAndMetadata commit = committed.get(id);
            ListOffsetsResultInfo end = ends.get(id);
            appended += end == null ? 0 : end.offset();
            finished += commit == null ? begin : Math.max(begin, done(commit));
          }
          state.sampled(name, sample, finished, appended, now);
        });
  }

  /** Producers of such a queue hold: somebody should know why. */
  private void blind(DeclaredQueue queue, List<TopicPartition> all, Round present, long nowNanos) {
    Blind since = blind.computeIfAbsent(queue.queue(), q -> new Blind(nowNanos));
    if (since.tellNanos - nowNanos <= 0) {
      since.tellNanos = nowNanos + WARN_AGAIN_NANOS;
      List<Object> parts = new ArrayList<>(queue.topics());
      parts.add(queue.group());
      parts.addAll(all);
      String why =
          parts.stream()
              .map(present.troubles::get)
              .filter(Objects::nonNull)
              .map(Throwable::toString)
              .findFirst()
              .orElse("topic " + queue.topic() + " is not there");
      LOG.warn(
          "The backlog of queue {} cannot be read for {} s, so its producers get no more credit: {}."
              + " The worker that coordinates needs Describe on topic {} and group {}",
          queue.queue(),
          TimeUnit.NANOSECONDS.toSeconds(nowNanos - since.sinceNanos),
          why,
          queue.topic(),
          queue.group());
    }
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
