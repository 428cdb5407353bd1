// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Cancellation;
import dev.sluice.Task;
import dev.sluice.TaskResult;
import dev.sluice.producer.TaskHandle;
import dev.sluice.producer.TaskProducer;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tasks that somebody does not want any more, wherever they are. */
@Tag(Scenario.SIDE_BY_SIDE)
class CancelIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @Test
  void waitingTasksAreNotRunAndRunningOnesAreTold() throws Exception {
    try (Scenario scenario = new Scenario("cancel", 1);
        TaskProducer producer = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
      WorkerProcess worker =
          scenario.worker(
              "worker",
              List.of("-Xmx192m"),
              "--handler",
              "class:" + CancelHandler.class.getName(),
              "--order",
              "none",
              "--concurrency",
              "1",
              "--buffer",
              "3");
      Scenario.awaitReady(worker);
      TaskHandle first = producer.submit(task("first", "x"));
      assertThat(first.result(PATIENCE).outcome()).isEqualTo(TaskResult.Outcome.DONE);
      TaskHandle running = producer.submit(task("running", "wait"));
      Scenario.awaitThat(
          "it to run", PATIENCE, () -> Offers.starts(scenario.histories()).containsKey("running"));
      var early = producer.cancel("early", PATIENCE);
      TaskHandle comesLater = producer.submit(task("early", "x"));
      assertThat(early.get(40, TimeUnit.SECONDS)).isEqualTo(Cancellation.CANCELLED);
      List<TaskHandle> waiting = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        waiting.add(producer.submit(task("waiting-" + i, "x")));
      }

      assertThat(cancel(waiting.get(0))).isEqualTo(Cancellation.CANCELLED);
      TaskHandle back = waiting.get(9);
      assertThat(back.cancel(Duration.ofSeconds(2)).get(30, TimeUnit.SECONDS))
          .as("no worker has fetched it")
          .isEqualTo(Cancellation.NOT_SEEN);
      assertThat(cancelByCommand(scenario, "never-was")).isEqualTo(4);
      assertThat(cancelByCommand(scenario, "running")).isZero();
      Instant inAnHour = Instant.ofEpochMilli(SystemClock.INSTANCE.epochMillis() + 3_600_000);
      var later = producer.submit(task("later", "x").notBefore(inAnHour));
      assertThat(later.id()).isEqualTo("later");
      assertThat(cancelByCommand(scenario, "later", "--not-before", inAnHour.toString())).isZero();
      assertThat(cancelByCommand(scenario, "later", "--not-before", "2020-01-01T00:00:00Z"))
          .as("that has passed")
          .isEqualTo(1);

      assertThat(running.result(PATIENCE).outcome()).isEqualTo(TaskResult.Outcome.DONE);
      for (int i = 0; i < 10; i++) {
        TaskResult.Outcome wanted =
            i == 0 || i == 9 ? TaskResult.Outcome.CANCELLED : TaskResult.Outcome.DONE;
        assertThat(waiting.get(i).ended().get(30, TimeUnit.SECONDS).outcome())
            .as("task " + i)
            .isEqualTo(wanted);
      }
      assertThat(comesLater.ended().get(30, TimeUnit.SECONDS).outcome())
          .isEqualTo(TaskResult.Outcome.CANCELLED);
      assertThat(Offers.starts(scenario.histories()))
          .containsKey("waiting-8")
          .doesNotContainKeys("early", "waiting-0", "waiting-9");
      TaskHandle delayed = producer.submit(task("delayed", "x").notBefore(inAnHour));
      assertThat(cancel(delayed)).isEqualTo(Cancellation.CANCELLED);
      assertThat(worker.stop(Duration.ofSeconds(15))).isZero();
    }
  }

  private static Cancellation cancel(TaskHandle handle) throws Exception {
    return handle.cancel(PATIENCE).get(40, TimeUnit.SECONDS);
  }

  private static Task<byte[]> task(String id, String payload) {
    return Task.of(Scenario.QUEUE, "t", payload.getBytes(UTF_8)).id(id).withResult();
  }

  private static int cancelByCommand(Scenario scenario, String id, String... flags) {
    List<String> arguments =
        new ArrayList<>(
            List.of("cancel", id, "-b", scenario.kafka().bootstrapServers(), "--timeout", "8s"));
    arguments.addAll(List.of(flags));
    try (JavaProcess process =
        JavaProcess.start(
            "dev.sluice.console.cli.TaskMain",
            List.of("-Xmx128m"),
            arguments,
            scenario.folder().resolve("cancel-" + id + "-" + flags.length + ".log"))) {
      return process.awaitExit(Duration.ofSeconds(60));
    }
  }
}
