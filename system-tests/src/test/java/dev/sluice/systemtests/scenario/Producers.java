// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.history.HistoryEvent;
import dev.sluice.systemtests.process.EventCounter;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Processes that publish a file of tasks as fast as they may. Not thread-safe. */
final class Producers implements AutoCloseable {
  private final Scenario scenario;
  private final Path tasks;
  private final List<JavaProcess> processes = new ArrayList<>();
  private final List<Path> histories = new ArrayList<>();
  private final EventCounter accepted = new EventCounter(HistoryEvent.ACCEPTED);

  Producers(Scenario scenario, int tasks) {
    this.scenario = scenario;
    this.tasks = scenario.folder().resolve("tasks.jsonl");
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < tasks; i++) {
      lines.append("{\"n\":").append(i).append("}\n");
    }
    try {
      Files.writeString(this.tasks, lines);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts one more; its history counts. */
  JavaProcess start(String name, String... flags) {
    Path history = scenario.folder().resolve(name + ".jsonl");
    histories.add(history);
    List<String> arguments =
        new ArrayList<>(
            List.of(
                Scenario.QUEUE,
                "-b",
                scenario.kafka().bootstrapServers(),
                "--name",
                name,
                "--history",
                history.toString()));
    List<String> given = List.of(flags);
    if (!given.contains("--http")) {
      arguments.addAll(List.of("--file", tasks.toString(), "--key-field", "n"));
    }
    arguments.addAll(given);
    JavaProcess process =
        JavaProcess.start(
            "dev.sluice.producer.cli.ProduceMain",
            Scenario.options("-Xmx192m"),
            arguments,
            scenario.folder().resolve(name + ".log"));
    processes.add(process);
    return process;
  }

  List<Path> histories() {
    return List.copyOf(histories);
  }

  long accepted() {
    return accepted.count(histories);
  }

  long accepted(int producer) {
    return accepted.count(histories.get(producer));
  }

  void awaitAccepted(long count) {
    Scenario.awaitThat(count + " accepted", Duration.ofMinutes(4), () -> accepted() >= count);
  }

  /** Tasks accepted per second, over so long from now on. */
  double acceptedPerSecond(Duration over) {
    long from = SystemClock.INSTANCE.nanos();
    long before = accepted();
    Scenario.awaitThat(
        over + " to pass",
        over.plusSeconds(10),
        () -> SystemClock.INSTANCE.nanos() - from >= over.toNanos());
    return (accepted() - before) * 1e9 / (SystemClock.INSTANCE.nanos() - from);
  }

  /** Asks all that still run to end, and waits for them. */
  void stopAll() {
    processes.stream().filter(JavaProcess::alive).forEach(JavaProcess::terminate);
    for (JavaProcess process : processes) {
      if (process.alive()) {
        assertThat(process.awaitExit(Duration.ofSeconds(40))).as(process.logTail()).isZero();
      }
    }
  }

  @Override
  public void close() {
    processes.forEach(JavaProcess::close);
  }
}
