// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The redrive command is killed in the middle and run again: each letter runs once more. */
@Tag(Scenario.SIDE_BY_SIDE)
class RedriveIT {
  private static final int LETTERS = Scenario.size(20_000, 100_000);
  private static final int KEYS = 1_000;
  private static final int RATE = Scenario.size(4_000, 5_000);

  /** Twenty transactions a second. */
  private static final int BATCH = RATE / 20;

  private static final String DEAD = "dlq." + Scenario.QUEUE;

  @Test
  void aKilledRedriveRunAgainLosesNothingAndDoublesNothing() {
    try (Scenario scenario = new Scenario("redrive", 8)) {
      die(scenario);
      long begun;
      try (JavaProcess first = redrive(scenario, 1)) {
        Scenario.awaitThat(
            "a third of the letters",
            Duration.ofMinutes(2),
            () -> queued(scenario).size() > LETTERS / 3);
        first.kill9();
        first.awaitExit(Duration.ofSeconds(10));
      }
      begun = queued(scenario).size();
      try (JavaProcess second = redrive(scenario, 2)) {
        assertThat(second.awaitExit(Duration.ofMinutes(3))).isZero();
      }
      List<ConsumerRecord<byte[], byte[]>> queued = queued(scenario);
      double perSecond = perSecond(queued, begun);
      Scenario.figures(
          "redrive",
          Map.of(
              "letters",
              LETTERS,
              "beforeTheKill",
              begun,
              "after",
              queued.size(),
              "rate",
              RATE,
              "measuredPerSecond",
              perSecond));
      eachOnceAndInOrder(queued);
      assertThat(perSecond).isLessThan(RATE * 1.05);
    }
  }

  private static JavaProcess redrive(Scenario scenario, int run) {
    return JavaProcess.start(
        "dev.sluice.console.cli.DeadMain",
        List.of("-Xmx128m"),
        List.of(
            "redrive",
            Scenario.QUEUE,
            "-b",
            scenario.kafka().bootstrapServers(),
            "--rate",
            Integer.toString(RATE),
            "--execute"),
        scenario.folder().resolve("redrive-" + run + ".log"));
  }

  private static void die(Scenario scenario) {
    String brokers = scenario.kafka().bootstrapServers();
    try (Topics topics = new Topics(KafkaSettings.of(brokers), Duration.ofSeconds(30))) {
      topics.ensure(Map.of(DEAD, 8));
    }
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", brokers, "linger.ms", "5"),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int i = 0; i < LETTERS; i++) {
        RecordHeaders headers = new RecordHeaders();
        headers.add(TaskCodec.header(TaskHeaders.ID, "task-" + i));
        headers.add(TaskCodec.header(TaskHeaders.ERROR_TYPE, "java.io.IOException"));
        var ignored =
            producer.send(
                new ProducerRecord<>(
                    DEAD,
                    null,
                    ("key-" + i % KEYS).getBytes(UTF_8),
                    Integer.toString(i).getBytes(UTF_8),
                    headers));
      }
    }
  }

  /** What workers see, each partition in its order. */
  private static List<ConsumerRecord<byte[], byte[]>> queued(Scenario scenario) {
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers",
                scenario.kafka().bootstrapServers(),
                "isolation.level",
                "read_committed"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (int i = 0; i < scenario.partitions(); i++) {
        partitions.add(new TopicPartition(Scenario.QUEUE, i));
      }
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(id -> consumer.position(id) < ends.get(id))) {
        consumer.poll(Duration.ofMillis(100)).forEach(all::add);
      }
    }
    return all;
  }

  /**
   * The rate of the second run, from the times at which its records were made: what came between
   * the first transaction and the last one, which is all but the first.
   */
  private static double perSecond(List<ConsumerRecord<byte[], byte[]>> queued, long before) {
    List<Long> times = queued.stream().map(ConsumerRecord::timestamp).sorted().toList();
    int first = (int) before;
    long millis = times.get(times.size() - 1) - times.get(first);
    return (times.size() - first - BATCH) * 1e3 / Math.max(1, millis);
  }

  private static void eachOnceAndInOrder(List<ConsumerRecord<byte[], byte[]>> queued) {
    BitSet seen = new BitSet(LETTERS);
    Map<String, Integer> last = new HashMap<>();
    int doubled = 0;
    int swapped = 0;
    for (ConsumerRecord<byte[], byte[]> record : queued) {
      int number = Integer.parseInt(new String(record.value(), UTF_8));
      doubled += seen.get(number) ? 1 : 0;
      seen.set(number);
      Integer before = last.put(new String(record.key(), UTF_8), number);
      swapped += before != null && before > number ? 1 : 0;
    }
    assertThat(doubled).as("letters that were run twice").isZero();
    assertThat(swapped).as("letters of a key that swapped").isZero();
    assertThat(seen.cardinality()).as("letters that were run").isEqualTo(LETTERS);
  }
}
