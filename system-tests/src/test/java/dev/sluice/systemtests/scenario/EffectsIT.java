// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.wire.TaskHeaders;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tasks that submit others, while their workers are killed and come and go. */
@Tag(Scenario.SIDE_BY_SIDE)
class EffectsIT {
  private static final int TASKS = Scenario.size(3_000, 100_000);
  private static final int KILLS = Scenario.size(1, 5);
  private static final int CHILD_PARTITIONS = 4;

  @ParameterizedTest
  @ValueSource(strings = {"transactional", "at-least-once"})
  void whatTasksSubmitIsThereOnceOrAtLeastOnce(String effects) throws Exception {
    try (Scenario scenario = new Scenario("effects-" + effects, 6)) {
      scenario
          .admin()
          .createTopics(List.of(new NewTopic(SpawnHandler.CHILDREN, CHILD_PARTITIONS, (short) 1)))
          .all()
          .get();
      WorkerProcess survivor = worker(scenario, "survivor", effects);
      WorkerProcess victim = worker(scenario, "victim-0", effects);
      try (Load load = scenario.load(1, 3)) {
        for (int kill = 1; kill <= KILLS; kill++) {
          Scenario.awaitReady(survivor, victim);
          load.send(TASKS / (KILLS + 1));
          WorkerProcess doomed = victim;
          // What has ended is counted, not what runs: that may be over before anyone looks.
          Scenario.awaitThat(
              "the victim to be at work",
              Duration.ofMinutes(2),
              () -> doomed.health().sum("sluice_worker_attempts_total") >= 100);
          doomed.kill9();
          victim = worker(scenario, "victim-" + kill, effects);
        }
        Scenario.awaitReady(victim); // before that a signal ends it at once
        load.send(TASKS - load.accepted());
      }
      // The most frequent key has a sixth of the tasks, and one in a hundred waits a second.
      scenario.awaitDrained(Duration.ofMinutes(Scenario.size(3, 10)));
      assertThat(survivor.stop(Duration.ofSeconds(15))).isZero();
      assertThat(victim.stop(Duration.ofSeconds(15))).isZero();

      Map<String, Integer> children = children(scenario);
      long twice = children.values().stream().filter(count -> count > 1).count();
      Report report = scenario.check(CheckOptions.undisturbed(Order.KEY));
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("kills", KILLS);
      figures.put("children", children.size());
      figures.put("childrenTwice", twice);
      scenario.figures(report, figures);
      assertThat(children).as("two children of each task").hasSize(2 * TASKS);
      if (effects.equals("transactional")) {
        assertThat(twice).as("children that are there more than once").isZero();
      }
      assertThat(report.lost()).isZero();
      assertThat(report.orderViolations()).isZero();
    }
  }

  /** The committed records of the children's topic, by id. */
  private static Map<String, Integer> children(Scenario scenario) {
    Map<String, Integer> found = new HashMap<>();
    Map<String, Object> settings =
        KafkaSettings.of(scenario.kafka().bootstrapServers()).consumer("reads-children");
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings)) {
      List<TopicPartition> all = new ArrayList<>();
      for (int i = 0; i < CHILD_PARTITIONS; i++) {
        all.add(new TopicPartition(SpawnHandler.CHILDREN, i));
      }
      consumer.assign(all);
      consumer.seekToBeginning(all);
      Map<TopicPartition, Long> ends = consumer.endOffsets(all);
      while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          byte[] id = record.headers().lastHeader(TaskHeaders.ID).value();
          found.merge(new String(id, UTF_8), 1, Integer::sum);
        }
      }
    }
    return found;
  }

  private static WorkerProcess worker(Scenario scenario, String name, String effects) {
    return scenario.worker(
        name,
        List.of("-Xmx256m"),
        "--handler",
        "class:" + SpawnHandler.class.getName(),
        "--order",
        "key",
        "--effects",
        effects,
        "--command-property",
        "group.protocol=classic",
        "--command-property",
        "session.timeout.ms=6000",
        "--command-property",
        "heartbeat.interval.ms=1000");
  }
}
