// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import dev.sluice.fleet.wire.ControlCodec;
import dev.sluice.fleet.wire.ControlRecord;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Sees when which coordinator grants, by a client of its own that reads the grants topic. */
final class GrantWatch implements AutoCloseable {
  private static final String GRANTS = "sluice.grants";

  private record Seen(long nanos, long counter) {}

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final ConcurrentLinkedQueue<Seen> seen = new ConcurrentLinkedQueue<>();
  private final Thread thread;

  GrantWatch(String bootstrap) {
    consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", bootstrap, "fetch.max.wait.ms", 50),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    List<TopicPartition> partitions =
        consumer.partitionsFor(GRANTS).stream().map(GrantWatch::partition).toList();
    consumer.assign(partitions);
    consumer.seekToEnd(partitions);
    partitions.forEach(consumer::position);
    thread = new Thread(this::run, "grant-watch");
    thread.start();
  }

  private static TopicPartition partition(PartitionInfo info) {
    return new TopicPartition(info.topic(), info.partition());
  }

  private void run() {
    try {
      while (true) {
        for (var polled : consumer.poll(Duration.ofMillis(100))) {
          ControlRecord read = ControlCodec.read(polled.value());
          if (read instanceof ControlRecord.OfGrants grants
              && grants.batch().open()
              && !grants.batch().grants().isEmpty()) {
            seen.add(new Seen(SystemClock.INSTANCE.nanos(), grants.batch().epoch().counter()));
          }
        }
      }
    } catch (WakeupException e) {
      consumer.close(CloseOptions.timeout(Duration.ofSeconds(1)));
    }
  }

  /** The claim counter of the newest coordinator that granted something. */
  long counter() {
    return seen.stream().mapToLong(Seen::counter).max().orElse(0);
  }

  /** When a coordinator after that one granted for the first time. */
  OptionalLong firstAfter(long counter) {
    return seen.stream().filter(s -> s.counter() > counter).mapToLong(Seen::nanos).min();
  }

  /** Waits for grants of a later coordinator; returns how many seconds they came after a moment. */
  double secondsUntilNewGrants(long counter, long sinceNanos) {
    Scenario.awaitThat(
        "grants of another coordinator",
        Duration.ofSeconds(30),
        () -> firstAfter(counter).isPresent());
    return (firstAfter(counter).orElseThrow() - sinceNanos) / 1e9;
  }

  @Override
  public void close() {
    consumer.wakeup();
    try {
      thread.join(5_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
