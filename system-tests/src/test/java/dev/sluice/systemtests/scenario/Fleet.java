// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.history.HistoryEvent;
import dev.sluice.systemtests.check.FleetFigures;
import dev.sluice.systemtests.check.FleetJudge;
import dev.sluice.systemtests.check.FleetLimits;
import dev.sluice.systemtests.process.EventCounter;
import dev.sluice.systemtests.process.WorkerProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The workers of a scenario that share a limit. Not thread-safe. */
final class Fleet {
  private static final Duration LONG = Duration.ofMinutes(4);

  private final Scenario scenario;
  private final List<String> flags;
  private final List<WorkerProcess> members = new ArrayList<>();
  private final EventCounter starts = new EventCounter(HistoryEvent.START);

  /**
   * @param flags of every worker: the limits, the handler
   */
  Fleet(Scenario scenario, String... flags) {
    this.scenario = scenario;
    this.flags = new ArrayList<>(List.of(flags));
    this.flags.addAll(
        List.of(
            "--order",
            "none",
            "--concurrency",
            "16",
            "--command-property",
            "session.timeout.ms=6000",
            "--command-property",
            "heartbeat.interval.ms=1000"));
  }

  /** Starts one more worker, without waiting for it. */
  WorkerProcess join(String file, String... more) {
    List<String> all = new ArrayList<>(flags);
    all.addAll(List.of(more));
    WorkerProcess worker = scenario.worker(file, List.of("-Xmx192m"), all.toArray(String[]::new));
    members.add(worker);
    return worker;
  }

  /** Starts workers and waits until each is ready. */
  Fleet of(String name, int count) {
    for (int i = 0; i < count; i++) {
      join(name + "-" + i);
    }
    Scenario.awaitReady(members.toArray(WorkerProcess[]::new));
    return this;
  }

  /** The workers that run, the one that joined first at the beginning. */
  List<WorkerProcess> members() {
    return List.copyOf(members);
  }

  /** No longer one of those that can be asked. */
  void forget(WorkerProcess worker) {
    members.remove(worker);
  }

  void add(WorkerProcess worker) {
    members.add(worker);
  }

  /** Ends a worker in an orderly way. */
  void leave(WorkerProcess worker) {
    members.remove(worker);
    assertThat(worker.stop(Duration.ofSeconds(20))).isZero();
  }

  void kill9(WorkerProcess worker) {
    members.remove(worker);
    worker.kill9();
  }

  void stopAll() {
    members.forEach(worker -> worker.process().terminate());
    members.forEach(
        worker ->
            assertThat(worker.process().awaitExit(Duration.ofSeconds(30)))
                .as(worker.process().logTail())
                .isZero());
  }

  boolean coordinating(WorkerProcess worker) {
    return worker.health().sum("sluice_fleet_coordinating") > 0;
  }

  WorkerProcess coordinator() {
    Scenario.awaitThat(
        "a coordinator",
        Duration.ofSeconds(30),
        () -> members.stream().anyMatch(this::coordinating));
    return members.stream().filter(this::coordinating).findFirst().orElseThrow();
  }

  WorkerProcess anotherThanTheCoordinator() {
    WorkerProcess coordinator = coordinator();
    return members.stream().filter(worker -> worker != coordinator).findFirst().orElseThrow();
  }

  long starts() {
    return starts.count(scenario.histories());
  }

  void awaitStarts(long count) {
    Scenario.awaitThat(count + " starts", LONG, () -> starts() >= count);
  }

  FleetFigures judge(FleetLimits limits) {
    return FleetJudge.judge(scenario.histories(), limits, scenario.disturbances());
  }
}
