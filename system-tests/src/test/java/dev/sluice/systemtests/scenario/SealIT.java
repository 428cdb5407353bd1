// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.Order;
import dev.sluice.Task;
import dev.sluice.producer.TaskProducer;
import dev.sluice.producer.TaskRefusedException;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.WorkerProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Queues that are closed for good, waited for, and workers that end themselves. */
@Tag(Scenario.SIDE_BY_SIDE)
class SealIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TASKS = 5_000;

  @Test
  void aSealedQueueRefusesIsWorkedOffAndLetsWorkersEnd() throws Exception {
    try (Scenario scenario = new Scenario("seal", 3);
        TaskProducer producer = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
      assertThat(producer.join(Scenario.QUEUE, Duration.ZERO)).as("nothing was there").isTrue();
      WorkerProcess first = worker(scenario, "first", "sleep:1ms");
      Scenario.awaitReady(first);
      for (int i = 0; i < TASKS; i++) {
        var ignored = producer.submitAsync(task("t" + i));
      }
      assertThat(producer.join(Scenario.QUEUE, Duration.ZERO)).isFalse();
      assertThat(queue(scenario, "seal", Scenario.QUEUE)).isZero();
      Scenario.awaitThat("the seal to be seen", PATIENCE, () -> isRefused(producer));
      TaskRefusedException refusal =
          catchThrowableOfType(
              TaskRefusedException.class, () -> producer.submit(task("late"), PATIENCE));
      assertThat(refusal.reason()).isEqualTo(TaskRefusedException.Reason.SEALED);
      assertThat(refusal).hasMessageContaining("sluice queue unseal " + Scenario.QUEUE);
      assertThatThrownBy(() -> producer.trySubmit(task("late")))
          .isInstanceOf(TaskRefusedException.class);
      assertThat(producer.flush(PATIENCE)).isTrue();

      assertThat(producer.join(Scenario.QUEUE, PATIENCE)).isTrue();
      assertThat(scenario.lag().total()).isZero();
      WorkerProcess last = worker(scenario, "last", "sleep:1ms", "--until-empty");
      assertThat(last.awaitExit(PATIENCE)).as("a worker of an empty, sealed queue").isZero();

      assertThat(queue(scenario, "unseal", Scenario.QUEUE)).isZero();
      Scenario.awaitThat("the queue to be open", PATIENCE, () -> !isRefused(producer));
      assertThat(first.stop(Duration.ofSeconds(15))).isZero();
    }
  }

  @Test
  void aHandlerEndsItsWorkerWithItsTaskDoneOrReturned() throws Exception {
    try (Scenario scenario = new Scenario("stop-worker", 1);
        TaskProducer producer = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
      String handler = "class:" + StoppingHandler.class.getName();
      WorkerProcess first = worker(scenario, "first", handler);
      Scenario.awaitReady(first);
      for (int i = 0; i < 200; i++) {
        var ignored = producer.submitAsync(task(i == 100 ? "stop, returned" : "t" + i));
      }
      assertThat(first.awaitExit(PATIENCE)).isZero();
      assertThat(producer.join(Scenario.QUEUE, Duration.ZERO)).isFalse();

      WorkerProcess second = worker(scenario, "second", handler);
      assertThat(producer.join(Scenario.QUEUE, PATIENCE)).isTrue();
      var ignored = producer.submit(task("stop, done"));
      assertThat(second.awaitExit(PATIENCE)).isZero();
      assertThat(producer.join(Scenario.QUEUE, Duration.ZERO)).as("its task is done").isTrue();

      Report report = scenario.check(CheckOptions.undisturbed(Order.NONE));
      assertThat(report.done()).isEqualTo(201);
      assertThat(report.duplicates().unexplained()).isZero();
    }
  }

  /** Whoever has only just connected has not heard yet which topics the queue has. */
  @Test
  void aNewProducerWaitsForUrgentTasksToo() throws Exception {
    int tasks = 500;
    try (Scenario scenario = new Scenario("join-priorities", 3)) {
      WorkerProcess worker =
          scenario.worker(
              "worker",
              List.of("-Xmx128m"),
              "--handler",
              "sleep:20ms",
              "--concurrency",
              "3",
              "--priorities",
              "1,9");
      Scenario.awaitReady(worker);
      try (TaskProducer producer = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
        Scenario.awaitThat("the priorities to be known", PATIENCE, () -> takesUrgent(producer));
        for (int i = 1; i < tasks; i++) {
          var ignored = producer.submitAsync(task("t" + i).priority(1));
        }
        assertThat(producer.flush(PATIENCE)).isTrue();
      }
      try (TaskProducer producer = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
        assertThat(producer.join(Scenario.QUEUE, Duration.ZERO)).isFalse();
        assertThat(producer.join(Scenario.QUEUE, PATIENCE)).isTrue();
      }
      assertThat(Offers.starts(scenario.histories())).hasSize(tasks);
      assertThat(worker.stop(Duration.ofSeconds(15))).isZero();
    }
  }

  private static boolean takesUrgent(TaskProducer producer) {
    try {
      var ignored = producer.submit(task("t0").priority(1), PATIENCE);
      return true;
    } catch (TaskRefusedException e) {
      return false;
    }
  }

  private static boolean isRefused(TaskProducer producer) {
    try {
      var ignored = producer.submit(task("look"), PATIENCE);
      return false;
    } catch (TaskRefusedException e) {
      return e.reason() == TaskRefusedException.Reason.SEALED;
    }
  }

  /** The command {@code queue} in a process of its own. */
  private static int queue(Scenario scenario, String... words) {
    List<String> arguments = new ArrayList<>(List.of(words));
    arguments.addAll(List.of("-b", scenario.kafka().bootstrapServers()));
    try (JavaProcess process =
        JavaProcess.start(
            "dev.sluice.console.cli.QueueMain",
            List.of("-XX:TieredStopAtLevel=1"),
            arguments,
            scenario.folder().resolve("queue.log"))) {
      return process.awaitExit(PATIENCE);
    }
  }

  private static Task<byte[]> task(String text) {
    return Task.of(Scenario.QUEUE, "t", text.getBytes(UTF_8));
  }

  private static WorkerProcess worker(
      Scenario scenario, String name, String handler, String... more) {
    List<String> flags = new ArrayList<>(List.of("--handler", handler, "--order", "none"));
    flags.addAll(List.of(more));
    return scenario.worker(name, List.of("-Xmx256m"), flags.toArray(new String[0]));
  }
}
