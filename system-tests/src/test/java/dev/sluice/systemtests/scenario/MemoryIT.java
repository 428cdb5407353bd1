// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.systemtests.process.HealthClient;
import dev.sluice.systemtests.process.Load;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A small heap, many partitions, a long backlog, and a handler that never gets on. */
@Tag(Scenario.SIDE_BY_SIDE)
class MemoryIT {
  private static final int PARTITIONS = 100;
  private static final int TASKS = Scenario.size(100_000, 1_000_000);
  private static final Duration WATCH = Duration.ofSeconds(Scenario.size(10, 60));

  @Test
  void staysWithinItsHeapAndNamesWhyItStandsStill() throws Exception {
    try (Scenario scenario = new Scenario("memory", PARTITIONS)) {
      try (Load load = scenario.load(1_024, 7)) {
        load.send(TASKS);
      }
      WorkerProcess worker =
          scenario.worker(
              "worker",
              List.of("-Xmx256m", "-XX:+ExitOnOutOfMemoryError"),
              "--handler",
              "class:" + BlockingHandler.class.getName(),
              "--order",
              "key",
              "--timeout",
              "10m",
              "--handover",
              "1s");
      Scenario.awaitReady(worker);
      HealthClient health = worker.health();
      Scenario.awaitThat(
          "all partitions to be paused", Duration.ofSeconds(60), () -> pausedWithReasons(health));
      long begun = SystemClock.INSTANCE.nanos();
      long[] heapMax = {0};
      Awaitility.await("the time to pass with the worker up")
          .atMost(WATCH.multipliedBy(3))
          .pollInterval(Duration.ofSeconds(1))
          .until(
              () -> {
                assertThat(worker.process().alive()).isTrue();
                assertThat(health.live()).as("/livez").isTrue();
                assertThat(pausedWithReasons(health)).as("reasons of all partitions").isTrue();
                heapMax[0] = Math.max(heapMax[0], HeapProbe.usedKilobytes(scenario, worker));
                return SystemClock.INSTANCE.nanos() - begun > WATCH.toNanos();
              });
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("tasks", TASKS);
      figures.put("seconds", TimeUnit.NANOSECONDS.toSeconds(SystemClock.INSTANCE.nanos() - begun));
      figures.put("heapUsedMaxMegabytes", heapMax[0] / 1024);
      figures.put("laneDepth", health.sum("sluice_worker_lane_depth"));
      figures.put("laneBytes", health.sum("sluice_worker_lane_bytes"));
      Scenario.figures("memory", figures);
      assertThat(worker.stop(Duration.ofSeconds(15))).isZero();
      assertThat(worker.process().logTail()).doesNotContain("OutOfMemoryError");
    }
  }

  private static boolean pausedWithReasons(HealthClient health) {
    try {
      JsonNode partitions =
          new ObjectMapper().readTree(health.get("/livez").body()).path("partitions");
      int paused = 0;
      for (JsonNode partition : partitions) {
        paused += partition.path("paused").isEmpty() ? 0 : 1;
      }
      return paused == PARTITIONS;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
