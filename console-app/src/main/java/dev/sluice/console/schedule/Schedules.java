// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.schedule;

import dev.sluice.SluiceException;
import dev.sluice.delay.kafka.DelayClients;
import dev.sluice.delay.kafka.DelayTopics;
import dev.sluice.delay.kafka.Schedule;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The recurring tasks of a fleet: records that the workers which serve delays read. */
public final class Schedules {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final Duration POLL = Duration.ofMillis(100);
  private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final KafkaSettings kafka;
  private final DelayTopics topics;
  private final Clock clock;

  /**
   * A recurring task, and how far it is.
   *
   * @param firedMillis when it was due that it was fired for last; empty if it never was
   * @param nextMillis when it is due next; empty if never, or if it cannot be read
   */
  public record Known(Schedule schedule, Optional<Long> firedMillis, Optional<Long> nextMillis) {}

  /** The recurring tasks of a fleet. */
  public Schedules(KafkaSettings kafka, FleetDefinition fleet, Clock clock) {
    this.kafka = kafka;
    this.topics = new DelayTopics(fleet);
    this.clock = clock;
  }

  /**
   * Adds one, or replaces the one of its name.
   *
   * @throws SluiceException if the brokers do not take it
   */
  public void put(Schedule schedule) {
    write(schedule.name(), topics.ensure(kafka, TIMEOUT), schedule.write());
  }

  /**
   * Removes one.
   *
   * @return whether there was one of that name
   */
  public boolean remove(String name) {
    Optional<Integer> shards = shards();
    if (shards.isEmpty() || !all().containsKey(name)) {
      return false;
    }
    write(name, shards.get(), null);
    return true;
  }

  private Optional<Integer> shards() {
    try (Topics admin = new Topics(kafka, TIMEOUT)) {
      return topics.shards(admin);
    }
  }

  private void write(String name, int shards, byte @Nullable [] definition) {
    try (KafkaProducer<byte[], byte[]> producer = DelayClients.words(kafka, "sluice-schedule")) {
      RecordMetadata ignored =
          producer
              .send(
                  new ProducerRecord<>(
                      topics.schedules(),
                      DelayTopics.shardOf(name, shards),
                      Schedule.definitionKey(name),
                      definition))
              .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new SluiceException(
          "Schedule " + name + " may not have been written: " + cause.getMessage(), cause);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SluiceException("Interrupted while schedule " + name + " was written", e);
    }
  }

  /**
   * All of them by name; those that cannot be read are left out.
   *
   * @throws SluiceException if the brokers stop answering
   */
  public Map<String, Known> all() {
    Optional<Integer> shards = shards();
    if (shards.isEmpty()) {
      return Map.of();
    }
    Map<String, byte[]> defined = new TreeMap<>();
    Map<String, Long> fired = new HashMap<>();
    read(
        shards.get(),
        record -> {
          String name = Schedule.definedName(record.key());
          String firedName = Schedule.firedName(record.key());
          if (name != null) {
            put(defined, name, record.value());
          } else if (firedName != null) {
            put(
                fired,
                firedName,
                record.value() == null ? null : Schedule.readFired(record.value()));
          }
        });
    Map<String, Known> all = new TreeMap<>();
    defined.forEach(
        (name, value) -> {
          try {
            all.put(name, known(Schedule.read(name, value), fired.get(name)));
          } catch (SluiceException e) {
            // Whoever serves it says so in its log.
          }
        });
    return all;
  }

  private Known known(Schedule schedule, @Nullable Long fired) {
    long from = Math.max(clock.epochMillis(), schedule.sinceMillis());
    long next = schedule.recurrence().after(from);
    return new Known(
        schedule,
        Optional.ofNullable(fired),
        next == Long.MAX_VALUE ? Optional.empty() : Optional.of(next));
  }

  private static <V> void put(Map<String, V> map, String name, @Nullable V value) {
    if (value == null) {
      map.remove(name);
    } else {
      map.put(name, value);
    }
  }

  private interface Visitor {
    void visit(ConsumerRecord<byte[], byte[]> record);
  }

  private void read(int shards, Visitor visitor) {
    List<TopicPartition> partitions = new ArrayList<>();
    for (int i = 0; i < shards; i++) {
      partitions.add(new TopicPartition(topics.schedules(), i));
    }
    try (KafkaConsumer<byte[], byte[]> consumer = DelayClients.tail(kafka, "sluice-schedule")) {
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, TIMEOUT);
      long movedNanos = clock.nanos();
      while (partitions.stream()
          .anyMatch(id -> consumer.position(id, TIMEOUT) < ends.getOrDefault(id, 0L))) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          movedNanos = clock.nanos();
          visitor.visit(record);
        }
        if (clock.nanos() - movedNanos > STALL_NANOS) {
          throw new SluiceException(
              "Nothing of " + topics.schedules() + " could be read for 30 s; are its brokers up?");
        }
      }
    }
  }
}
