// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.HealthClient;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.wire.TaskHeaders;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tasks that hang, overflow, are not JSON, are empty or large, or always fail, among good ones. */
@Tag(Scenario.SIDE_BY_SIDE)
class PoisonIT {
  private static final int CONCURRENCY = 16;
  private static final int TASKS = Scenario.size(10_000, 100_000);
  private static final int FAIL_EVERY = 10;

  @Test
  void eachBadTaskEndsInTheDeadLettersAndTheOthersFinish() {
    try (Scenario scenario = new Scenario("poison", 12)) {
      try (Load load = scenario.load(1, 6)) {
        load.send(key("hang"), json("hang", ""));
        load.send(key("overflow"), json("overflow", ""));
        load.send(key("not-json"), "{not json".getBytes(UTF_8));
        load.send(key("empty"), new byte[0]);
        load.send(key("large"), json("fail", "x".repeat(900 * 1024)));
        for (int i = 5; i < TASKS; i++) {
          load.send(key("key-" + i), json(i % FAIL_EVERY == 0 ? "fail" : "nothing", ""));
        }
        load.flush();
      }
      WorkerProcess worker =
          scenario.worker(
              "worker",
              List.of("-Xmx256m"),
              "--handler",
              "class:" + PoisonHandler.class.getName(),
              "--order",
              "key",
              "--concurrency",
              Integer.toString(CONCURRENCY),
              "--bulkhead",
              Integer.toString(CONCURRENCY),
              "--timeout",
              "2s",
              "--attempts",
              "2");
      Scenario.awaitReady(worker);
      HealthClient health = worker.health();
      // The threads of the fleet are there when the first grant was applied.
      Scenario.awaitThat(
          "the first grant",
          Duration.ofSeconds(30),
          () -> health.sum("sluice_fleet_grants_total") > 0);
      double threadsBefore = health.sum("jvm_threads_live_threads");
      scenario.awaitDrained(Duration.ofMinutes(Scenario.size(2, 10)));
      assertThat(health.live()).isTrue();
      awaitEmpty(health);
      double hung = health.sum("sluice_worker_hung");
      // All permits and slots have come back: as many tasks as there are run at once.
      try (Load load = scenario.load(1, 7)) {
        for (int i = 0; i < CONCURRENCY; i++) {
          load.send(key("hold-" + i), json("hold", ""));
        }
        load.flush();
      }
      Scenario.awaitThat(
          "all permits to be in use",
          Duration.ofSeconds(30),
          () -> health.sum("sluice_worker_running") == CONCURRENCY);
      double threadsMore = health.sum("jvm_threads_live_threads") - threadsBefore;
      scenario.awaitDrained(Duration.ofMinutes(1));
      awaitEmpty(health);
      Map<String, ConsumerRecord<byte[], byte[]>> dead = deadLetters(scenario);
      assertThat(worker.stop(Duration.ofSeconds(15))).isZero();

      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      scenario.figures(
          report,
          Map.of("deadLetters", dead.size(), "hungThreads", hung, "threadsMore", threadsMore));
      assertThat(report.violations()).isEmpty();
      int failing = (TASKS - 1) / FAIL_EVERY;
      assertThat(dead).hasSize(failing + 5);
      assertThat(report.dead()).isEqualTo(failing + 5);
      assertThat(report.done()).isEqualTo(TASKS - failing - 5 + CONCURRENCY);
      assertThat(type(dead, "hang")).contains("Hung");
      assertThat(type(dead, "overflow")).isEqualTo(StackOverflowError.class.getName());
      assertThat(type(dead, "not-json")).endsWith("PermanentTaskException");
      assertThat(type(dead, "empty")).endsWith("PermanentTaskException");
      assertThat(type(dead, "large")).isEqualTo(IllegalStateException.class.getName());
      assertThat(header(dead.get("large"), TaskHeaders.ERROR_ATTEMPTS)).isEqualTo("2");
      assertThat(header(dead.get("large"), TaskHeaders.ORIGIN)).startsWith(Scenario.QUEUE + "/");
      assertThat(hung).isEqualTo(1);
      // The handlers' threads, the one that hangs, and those of the writer of dead letters.
      assertThat(threadsMore).isLessThanOrEqualTo(CONCURRENCY + 1 + 3);
    }
  }

  private static void awaitEmpty(HealthClient health) {
    Scenario.awaitThat(
        "lanes and threads to be empty",
        Duration.ofSeconds(10),
        () ->
            health.sum("sluice_worker_running") == 0
                && health.sum("sluice_worker_lane_depth") == 0
                && health.sum("sluice_worker_lane_bytes") == 0);
  }

  private static byte[] key(String text) {
    return text.getBytes(UTF_8);
  }

  private static byte[] json(String what, String filling) {
    return ("{\"do\":\"" + what + "\",\"filling\":\"" + filling + "\"}").getBytes(UTF_8);
  }

  private static String type(Map<String, ConsumerRecord<byte[], byte[]>> dead, String key) {
    return header(dead.get(key), TaskHeaders.ERROR_TYPE);
  }

  private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
    Header header = record.headers().lastHeader(name);
    return header == null ? "" : new String(header.value(), UTF_8);
  }

  /** All dead letters by their key. */
  private static Map<String, ConsumerRecord<byte[], byte[]>> deadLetters(Scenario scenario) {
    Map<String, ConsumerRecord<byte[], byte[]>> letters = new HashMap<>();
    Map<String, Object> properties =
        Map.of("bootstrap.servers", scenario.kafka().bootstrapServers());
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> all = new ArrayList<>();
      consumer
          .partitionsFor("dlq." + Scenario.QUEUE)
          .forEach(info -> all.add(new TopicPartition(info.topic(), info.partition())));
      consumer.assign(all);
      consumer.seekToBeginning(all);
      Map<TopicPartition, Long> ends = consumer.endOffsets(all);
      while (all.stream().anyMatch(id -> consumer.position(id) < ends.get(id))) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
          letters.put(new String(record.key(), UTF_8), record);
        }
      }
    }
    return letters;
  }
}
