// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Task;
import dev.sluice.history.HistoryEvent;
import dev.sluice.producer.TaskProducer;
import dev.sluice.systemtests.process.BacklogSampler;
import dev.sluice.systemtests.process.EventCounter;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tasks that each submit two, in a queue that is full of the first ones. */
@Tag(Scenario.SIDE_BY_SIDE)
class SpawnIT {
  private static final int PARTITIONS = 6;
  private static final int CAPACITY = 100;
  private static final int PER_TASK = 10;
  private static final int WORKERS = 2;

  /** More of the first ones than the queue may have, so that it is full of them. */
  @Test
  void aQueueFullOfTasksThatSubmitMoreDrains() throws InterruptedException {
    drains("spawn", 110, 4);
  }

  /** The last generation of one tree alone is ten times what the queue may have. */
  @Test
  void treesThatAreFarLargerThanTheQueueDrain() throws InterruptedException {
    Scenario.onlyInFull("aQueueFullOfTasksThatSubmitMoreDrains");
    drains("spawn-deep", 12, 10);
  }

  private static void drains(String name, int roots, int generations) throws InterruptedException {
    long nodes = roots * ((2L << generations) - 1);
    try (Scenario scenario = new Scenario(name, PARTITIONS);
        BacklogSampler backlog =
            new BacklogSampler(
                scenario.kafka().bootstrapServers(), Scenario.GROUP, Scenario.QUEUE, PARTITIONS);
        TaskProducer producer =
            TaskProducer.builder(scenario.kafka().bootstrapServers())
                .capacity(Scenario.QUEUE, CAPACITY)
                .build()) {
      List<WorkerProcess> workers = new ArrayList<>();
      for (int i = 0; i < WORKERS; i++) {
        workers.add(
            scenario.worker(
                "worker-" + i,
                List.of("-Xmx192m"),
                "--handler",
                "class:" + TreeHandler.class.getName(),
                "--order",
                "none",
                "--capacity",
                "" + CAPACITY,
                "--max-depth",
                "" + generations,
                "--max-children",
                "" + PER_TASK));
      }
      workers.forEach(Scenario::awaitReady);
      EventCounter done = new EventCounter(HistoryEvent.DONE);
      long begun = SystemClock.INSTANCE.nanos();
      for (int i = 0; i < roots; i++) {
        var handle =
            producer.submitAsync(
                Task.of(Scenario.QUEUE, "node", Integer.toString(generations).getBytes(UTF_8))
                    .id("root-" + i));
        assertThat(handle.id()).isNotEmpty();
      }
      assertThat(producer.flush(Duration.ofMinutes(1))).isTrue();
      Scenario.awaitThat(
          nodes + " to be done",
          Duration.ofMinutes(Scenario.size(4, 9)),
          () -> done.count(scenario.histories()) >= nodes);
      double seconds = (SystemClock.INSTANCE.nanos() - begun) / 1e9;
      assertThat(producer.join(Scenario.QUEUE, Duration.ofMinutes(1))).isTrue();
      workers.forEach(worker -> assertThat(worker.stop(Duration.ofSeconds(20))).isZero());
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("tasks", nodes);
      figures.put("ran", Offers.starts(scenario.histories()).size());
      figures.put("capacity", CAPACITY);
      figures.put("allowance", generations * PER_TASK);
      figures.put("mostBacklog", backlog.most());
      figures.put("samples", backlog.samples());
      figures.put("seconds", seconds);
      Scenario.figures(name, figures);
      assertThat(Offers.starts(scenario.histories())).hasSize((int) nodes);
      assertThat(backlog.most()).isBetween(CAPACITY / 2L, (long) CAPACITY + generations * PER_TASK);
    }
  }
}
