// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.Cancellation;
import dev.sluice.Order;
import dev.sluice.Task;
import dev.sluice.history.HistoryWriter;
import dev.sluice.producer.TaskProducer;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.HistoryChecker;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Delayed tasks beside immediate ones, while the workers that serve the delays are killed. */
@Tag(Scenario.SIDE_BY_SIDE)
class DelayIT {
  private static final int DELAYED = Scenario.size(10_000, 100_000);
  private static final int SPREAD_SECONDS = Scenario.size(20, 180);
  private static final int IMMEDIATE_PER_SECOND = Scenario.size(500, 2_000);
  private static final int KILLS = 2;
  private static final long SEED = Long.getLong("sluice.seed", 20);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String PAYLOAD = "x".repeat(200);
  private static final Duration ANSWER = Duration.ofSeconds(30);

  private record Delayed(String id, long dueMillis, boolean cancel) {}

  @Test
  void eachRunsOnceAndSoonAfterItIsDueThoughWhoServesThemIsKilled() throws IOException {
    System.out.println("seed " + SEED);
    try (Scenario scenario = new Scenario("delays", 8)) {
      WorkerProcess runner = runner(scenario);
      List<WorkerProcess> servers = new ArrayList<>();
      servers.add(server(scenario, 0));
      servers.add(server(scenario, 1));
      Scenario.awaitReady(runner);
      servers.forEach(Scenario::awaitReady);
      Path submitted = scenario.folder().resolve("producer.history.jsonl");
      Map<String, Cancellation> answers = new ConcurrentHashMap<>();
      List<Delayed> delayed = new ArrayList<>();
      try (HistoryWriter history = HistoryWriter.ofProducer(submitted, SystemClock.INSTANCE);
          TaskProducer producer =
              TaskProducer.builder(scenario.kafka().bootstrapServers()).history(history).build()) {
        submit(producer, task("warm", Instant.now().plusMillis(200)));
        Scenario.awaitThat(
            "somebody to serve each shard",
            Duration.ofSeconds(30),
            () -> servers.stream().mapToDouble(DelayIT::shards).sum() == 2);
        warmUp(producer, servers);
        long begun = SystemClock.INSTANCE.epochMillis();
        delayed.addAll(plan(begun));
        run(producer, delayed, begun, answers, new Kills(scenario, servers, begun)::tick);
      }
      long ending = SystemClock.INSTANCE.epochMillis() + 5_000;
      Scenario.awaitThat(
          "late ones to have come out",
          Duration.ofMinutes(1),
          () -> SystemClock.INSTANCE.epochMillis() > ending);
      scenario.awaitDrained(Duration.ofMinutes(1));
      assertThat(runner.stop(Duration.ofSeconds(15))).isZero();
      servers.forEach(server -> server.stop(Duration.ofSeconds(15)));
      judge(scenario, submitted, delayed, answers, runner.history());
    }
  }

  /** However many wait, whoever serves them holds a bounded front of them. */
  @Test
  void theHeapDoesNotGrowWithTheNumberOfDelayedTasks() {
    int many = Scenario.size(50_000, 1_000_000);
    try (Scenario scenario = new Scenario("delays-memory", 1)) {
      WorkerProcess server = server(scenario, 0);
      Scenario.awaitReady(server);
      long few;
      long lots;
      try (TaskProducer producer = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
        submitLater(producer, server, 1_000);
        few = HeapProbe.liveKilobytes(scenario, server);
        submitLater(producer, server, many - 1_000);
        lots = HeapProbe.liveKilobytes(scenario, server);
      }
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("delayed", many);
      figures.put("heapKilobytesOf1000", few);
      figures.put("heapKilobytesOfAll", lots);
      Scenario.figures("delays-memory", figures);
      assertThat(lots - few)
          .as("kilobytes more, of the most that fronts and fetches hold")
          .isLessThan(60_000);
      assertThat(server.stop(Duration.ofSeconds(15))).isZero();
    }
  }

  /** Nobody may pass another one then: what is served of a level must have no gaps. */
  @Test
  void comeOutWhereBrokersTakeLittleMetadata() {
    int tasks = 500;
    try (Scenario scenario =
        new Scenario("delays-little-metadata", 2, Map.of("offset.metadata.max.bytes", "40"))) {
      WorkerProcess worker =
          scenario.worker("worker", List.of("-Xmx128m"), "--handler", "sleep:0ms");
      Scenario.awaitReady(worker);
      SplittableRandom random = new SplittableRandom(SEED);
      try (TaskProducer producer = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
        long now = SystemClock.INSTANCE.epochMillis();
        for (int i = 0; i < tasks; i++) {
          submit(producer, task("d" + i, Instant.ofEpochMilli(now + random.nextLong(8_000))));
        }
      }
      Scenario.awaitThat(
          "all to come out",
          Duration.ofMinutes(1),
          () -> Offers.starts(scenario.histories()).size() == tasks);
      assertThat(worker.stop(Duration.ofSeconds(15))).isZero();
    }
  }

  /** So many that wait for long, and one behind them that comes out. */
  private static void submitLater(TaskProducer producer, WorkerProcess server, int count) {
    double before = delivered(server);
    Instant due = Instant.now().plus(Duration.ofMinutes(40));
    for (int i = 0; i < count; i++) {
      submit(producer, Task.of(Scenario.QUEUE, "t", PAYLOAD).notBefore(due));
    }
    submit(producer, task("canary-" + count, Instant.now().plusSeconds(2)));
    Scenario.awaitThat(
        "the one that is due", Duration.ofMinutes(2), () -> delivered(server) > before);
  }

  private static double delivered(WorkerProcess server) {
    return server.health().ready()
        ? server.health().sum("sluice_delays_lateness_seconds_count")
        : 0;
  }

  // ---- the load ----

  private static List<Delayed> plan(long begunMillis) {
    SplittableRandom random = new SplittableRandom(SEED);
    List<Delayed> all = new ArrayList<>();
    for (int i = 0; i < DELAYED; i++) {
      long due = begunMillis + 2_000 + random.nextLong(SPREAD_SECONDS * 1_000L);
      all.add(new Delayed("delayed-" + i + "-" + due, due, i % 10 == 0));
    }
    return all;
  }

  /** The processes are no new ones when it begins. */
  private static void warmUp(TaskProducer producer, List<WorkerProcess> servers) {
    int tasks = Scenario.size(5_000, 30_000);
    double before = servers.stream().mapToDouble(DelayIT::delivered).sum();
    for (int i = 0; i < tasks; i++) {
      submit(producer, task("warm-" + i, Instant.now().plusMillis(500 + 2L * (i % 5_000))));
      submit(producer, Task.of(Scenario.QUEUE, "t", "x"));
      if (i % 2 == 0) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
      }
    }
    Scenario.awaitThat(
        "the warm-up to be through",
        Duration.ofMinutes(1),
        () -> servers.stream().mapToDouble(DelayIT::delivered).sum() >= before + tasks);
  }

  private static void run(
      TaskProducer producer,
      List<Delayed> delayed,
      long begun,
      Map<String, Cancellation> answers,
      Runnable tick) {
    SplittableRandom random = new SplittableRandom(SEED + 1);
    List<CompletableFuture<?>> open = new ArrayList<>();
    // They are submitted in the first quarter, the first ones first; those that are cancelled are
    // so at any time until shortly after they are due.
    List<Delayed> submits = new ArrayList<>(delayed);
    Map<Long, List<Delayed>> cancels = new HashMap<>();
    long submitUntil = begun + SPREAD_SECONDS * 250L;
    long end = begun + 4_000 + SPREAD_SECONDS * 1_000L;
    long immediate = 0;
    int next = 0;
    submits.sort((a, b) -> Long.compare(a.dueMillis(), b.dueMillis()));
    for (long now = begun; now < end; now = SystemClock.INSTANCE.epochMillis()) {
      long wanted = Math.min(DELAYED, DELAYED * (now - begun) / (submitUntil - begun) + 1);
      for (; next < wanted; next++) {
        Delayed each = submits.get(next);
        submit(producer, task(each.id(), Instant.ofEpochMilli(each.dueMillis())));
        if (each.cancel()) {
          long lasts = each.dueMillis() + 200 - now;
          long at = lasts <= 0 ? now : now + random.nextLong(lasts);
          cancels.computeIfAbsent(at / 100, slot -> new ArrayList<>()).add(each);
        }
      }
      for (; immediate < IMMEDIATE_PER_SECOND * (now - begun) / 1_000; immediate++) {
        submit(producer, Task.of(Scenario.QUEUE, "t", "x").key("k" + immediate % 1_000));
      }
      for (Delayed each : cancelsUntil(cancels, now / 100)) {
        open.add(
            producer
                .cancel(each.id(), Instant.ofEpochMilli(each.dueMillis()), ANSWER)
                .thenAccept(answer -> answers.put(each.id(), answer)));
      }
      tick.run();
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
    open.forEach(CompletableFuture::join);
  }

  private static List<Delayed> cancelsUntil(Map<Long, List<Delayed>> cancels, long slot) {
    List<Delayed> all = new ArrayList<>();
    cancels
        .entrySet()
        .removeIf(
            entry -> {
              if (entry.getKey() >= slot) {
                return false;
              }
              all.addAll(entry.getValue());
              return true;
            });
    return all;
  }

  private static Task<String> task(String id, Instant due) {
    return Task.of(Scenario.QUEUE, "t", "x").id(id).notBefore(due);
  }

  private static void submit(TaskProducer producer, Task<?> task) {
    assertThat(producer.submitAsync(task).id()).isNotEmpty();
  }

  // ---- the processes ----

  private static WorkerProcess runner(Scenario scenario) {
    return scenario.worker(
        "runner",
        List.of("-Xmx256m"),
        "--handler",
        "sleep:0ms",
        "--order",
        "none",
        "--concurrency",
        "8",
        "--no-delays");
  }

  private static WorkerProcess server(Scenario scenario, int number) {
    return scenario.workerOf(
        "other", "server-" + number, List.of("-Xmx192m"), "--handler", "sleep:0ms");
  }

  /** How many shards it serves; none while it is still starting. */
  private static double shards(WorkerProcess server) {
    return server.health().ready() ? server.health().sum("sluice_delays_shards") : 0;
  }

  /** Kills whoever serves most, one third and two thirds through, and starts another. */
  private static final class Kills {
    private final Scenario scenario;
    private final List<WorkerProcess> servers;
    private final long begunMillis;
    private int done;

    Kills(Scenario scenario, List<WorkerProcess> servers, long begunMillis) {
      this.scenario = scenario;
      this.servers = servers;
      this.begunMillis = begunMillis;
    }

    void tick() {
      long passed = SystemClock.INSTANCE.epochMillis() - begunMillis;
      if (done < KILLS && passed > SPREAD_SECONDS * 1_000L * (done + 1) / (KILLS + 1)) {
        done++;
        WorkerProcess doomed = servers.get(0);
        for (WorkerProcess each : servers) {
          if (shards(each) > shards(doomed)) {
            doomed = each;
          }
        }
        servers.remove(doomed);
        doomed.kill9();
        servers.add(server(scenario, servers.size() + done));
      }
    }
  }

  // ---- the judgement ----

  private static void judge(
      Scenario scenario,
      Path submitted,
      List<Delayed> delayed,
      Map<String, Cancellation> answers,
      Path worked) {
    Map<String, Integer> starts = new HashMap<>();
    Map<String, Long> startedAt = new HashMap<>();
    forEachLine(
        worked,
        line -> {
          if (line.path("event").asText().equals("start")) {
            starts.merge(line.path("id").asText(), 1, Integer::sum);
            startedAt.put(line.path("id").asText(), line.path("at").asLong() / 1_000);
          }
        });
    int twice = 0;
    int missing = 0;
    int ranThoughCancelled = 0;
    int early = 0;
    int cancelled = 0;
    int tooLate = 0;
    List<Long> lateness = new ArrayList<>();
    for (Delayed each : delayed) {
      int ran = starts.getOrDefault(each.id(), 0);
      Cancellation answer = answers.get(each.id());
      boolean inTime = answer == Cancellation.CANCELLED;
      cancelled += inTime ? 1 : 0;
      tooLate += answer == Cancellation.TOO_LATE ? 1 : 0;
      twice += ran > 1 ? 1 : 0;
      missing += ran == 0 && !inTime ? 1 : 0;
      ranThoughCancelled += ran > 0 && inTime ? 1 : 0;
      if (ran > 0) {
        long late = startedAt.getOrDefault(each.id(), 0L) - each.dueMillis();
        early += late < 0 ? 1 : 0;
        lateness.add(late);
      }
    }
    long[] sorted = lateness.stream().mapToLong(Long::longValue).sorted().toArray();
    Report report =
        new HistoryChecker(CheckOptions.undisturbed(Order.NONE).ofQueue(Scenario.QUEUE))
            .check(List.of(submitted), scenario.histories());
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("delayed", DELAYED);
    figures.put("immediatePerSecond", IMMEDIATE_PER_SECOND);
    figures.put("kills", KILLS);
    figures.put("p50LateMillis", sorted[sorted.length / 2]);
    figures.put("p99LateMillis", sorted[sorted.length * 99 / 100]);
    figures.put("p999LateMillis", sorted[(int) (sorted.length * 999L / 1000)]);
    figures.put("maxLateMillis", sorted[sorted.length - 1]);
    figures.put("early", early);
    figures.put("twice", twice);
    figures.put("missing", missing);
    figures.put("cancelled", cancelled);
    figures.put("tooLate", tooLate);
    figures.put("ranThoughCancelled", ranThoughCancelled);
    scenario.figures(report, figures);
    assertThat(report.violations()).isEmpty();
    assertThat(Arrays.asList(early, twice, missing, ranThoughCancelled)).containsOnly(0);
    assertThat(cancelled + tooLate).isEqualTo(DELAYED / 10);
    assertThat(cancelled).isGreaterThan(DELAYED / 20);
  }

  private static void forEachLine(Path file, Consumer<JsonNode> visitor) {
    try (Stream<String> lines = Files.lines(file, UTF_8)) {
      lines.forEach(
          line -> {
            try {
              visitor.accept(JSON.readTree(line));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
