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
  private static final int GENERATIONS = Scenario.size(5, 10);
  private static final int ROOTS = Scenario.size(130, 130);
  private static final int PER_TASK = 2;
  private static final int WORKERS = 2;

  @Test
  void aQueueFullOfTasksThatSubmitMoreDrains() throws InterruptedException {
    long nodes = (long) ROOTS * ((2L << GENERATIONS) - 1);
    try (Scenario scenario = new Scenario("spawn", PARTITIONS);
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
                "" + GENERATIONS,
                "--max-children",
                "" + PER_TASK));
      }
      workers.forEach(Scenario::awaitReady);
      EventCounter done = new EventCounter(HistoryEvent.DONE);
      long begun = SystemClock.INSTANCE.nanos();
      for (int i = 0; i < ROOTS; i++) {
        var handle =
            producer.submitAsync(
                Task.of(Scenario.QUEUE, "node", Integer.toString(GENERATIONS).getBytes(UTF_8))
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
      figures.put("allowance", GENERATIONS * PER_TASK);
      figures.put("mostBacklog", backlog.most());
      figures.put("samples", backlog.samples());
      figures.put("seconds", seconds);
      Scenario.figures("spawn", figures);
      assertThat(Offers.starts(scenario.histories())).hasSize((int) nodes);
      assertThat(backlog.most()).isBetween(CAPACITY / 2L, (long) CAPACITY + GENERATIONS * PER_TASK);
    }
  }
}
