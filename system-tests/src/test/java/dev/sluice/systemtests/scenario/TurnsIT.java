// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import dev.sluice.Task;
import dev.sluice.producer.TaskProducer;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.HistoryChecker;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tenants and priorities while more is offered than the workers can do. */
class TurnsIT {
  private static final int PARTITIONS = 8;
  private static final int CAPACITY = 2_000;
  private static final int WORKERS = 2;
  private static final Duration PHASE = Duration.ofSeconds(Scenario.size(5, 60));

  /** What all workers can do, whatever their slots are. */
  private static final double MOST_PER_SECOND = 2_000;

  /** Nothing is interrupted for anybody: whoever comes waits for the next slot, here 1 to 2 ms. */
  private static final int SHORT_MILLIS = 2;

  private static final int LONG_MILLIS = 20;

  private static List<WorkerProcess> workers(Scenario scenario, int workMillis, String... flags) {
    int concurrency = (int) (MOST_PER_SECOND * workMillis / 1e3 / WORKERS);
    List<WorkerProcess> workers = new ArrayList<>();
    for (int i = 0; i < WORKERS; i++) {
      List<String> all =
          new ArrayList<>(
              List.of(
                  "--handler", "sleep:" + workMillis + "ms", "--concurrency", "" + concurrency));
      all.addAll(List.of(flags));
      workers.add(scenario.worker("worker-" + i, List.of("-Xmx192m"), all.toArray(String[]::new)));
    }
    workers.forEach(Scenario::awaitReady);
    return workers;
  }

  /** Ten tenants offer a quarter of what can be done; then one more a hundred times as much. */
  @Test
  void aTenantThatOffersAHundredTimesAsMuchDoesNotMakeOthersWait() {
    int tenants = 10;
    int each = Scenario.size(40, 40);
    try (Scenario scenario = new Scenario("tenants", PARTITIONS);
        Producers greedy = new Producers(scenario, Scenario.size(60_000, 300_000));
        Modest modest = new Modest(scenario, tenants, each)) {
      List<WorkerProcess> workers =
          workers(
              scenario, SHORT_MILLIS, "--tenants", "--capacity", "" + CAPACITY, "--order", "key");
      modest.offer("warm", PHASE.dividedBy(2));
      List<Offers> alone = modest.offer("alone", PHASE);

      greedy.start("greedy", "--tenant", "a", "--rate", "" + 100 * each);
      greedy.awaitAccepted(2L * CAPACITY);
      modest.offer("between", Duration.ofSeconds(Scenario.size(1, 5)));
      long before = greedy.accepted();
      List<Offers> beside = modest.offer("beside", PHASE);
      double greedyPerSecond = (greedy.accepted() - before) / (PHASE.toMillis() / 1e3);
      greedy.stopAll();
      scenario.awaitDrained(Duration.ofMinutes(2));
      workers.forEach(worker -> assertThat(worker.stop(Duration.ofSeconds(20))).isZero());

      Offers.Waits without = Offers.waits(alone, scenario.histories());
      Offers.Waits with = Offers.waits(beside, scenario.histories());
      double used = (greedyPerSecond + tenants * each) / MOST_PER_SECOND;
      Report report =
          new HistoryChecker(CheckOptions.undisturbed(Order.KEY).ofQueue(Scenario.QUEUE))
              .check(greedy.histories(), scenario.histories());
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("p50Without", without.p50());
      figures.put("p99Without", without.p99());
      figures.put("p50With", with.p50());
      figures.put("p99With", with.p99());
      figures.put("ratioP99", with.p99() / without.p99());
      figures.put("p99FromDueWithout", without.p99FromDue());
      figures.put("p99FromDueWith", with.p99FromDue());
      figures.put("greedyPerSecond", greedyPerSecond);
      figures.put("ofWhatCanBeDone", used);
      scenario.figures(report, figures);
      assertThat(report.orderViolations()).isZero();
      assertThat(report.lost()).isZero();
      // What waits is as much as a second's work: behind it, each would have to wait that long.
      assertThat(with.p99()).isLessThan(1e3 * CAPACITY / MOST_PER_SECOND / 4);
      if (Scenario.full()) {
        assertThat(with.p99() / without.p99()).isLessThanOrEqualTo(2);
        // A wait of 2 ms takes about 2.1 ms here.
        assertThat(used).isGreaterThan(0.85);
      }
    }
  }

  /** Some tenants, each with a producer of its own. */
  private static final class Modest implements AutoCloseable {
    private final List<TaskProducer> producers = new ArrayList<>();
    private final int perSecond;

    Modest(Scenario scenario, int tenants, int perSecond) {
      this.perSecond = perSecond;
      for (int i = 0; i < tenants; i++) {
        producers.add(
            TaskProducer.builder(scenario.kafka().bootstrapServers()).name("modest-" + i).build());
      }
    }

    /** All of them at once, each a part of the time after the one before it. */
    List<Offers> offer(String phase, Duration time) {
      List<Offers> all = new ArrayList<>();
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < producers.size(); i++) {
        String tenant = "modest-" + i;
        Offers offers = new Offers(producers.get(i));
        all.add(offers);
        threads.add(
            new Thread(
                () ->
                    offers.offer(
                        perSecond,
                        time,
                        n ->
                            Task.of(Scenario.QUEUE, "t", "x")
                                .id(phase + "-" + tenant + "-" + n)
                                .key(phase + "-" + tenant + "-" + n % 97)
                                .tenant(tenant))));
      }
      threads.forEach(Thread::start);
      for (Thread thread : threads) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
      return all;
    }

    @Override
    public void close() {
      producers.forEach(TaskProducer::close);
    }
  }

  /** Low tasks fill the queue, urgent ones take a half of what can be done. */
  @Test
  void urgentTasksDoNotWaitBehindOthers() {
    try (Scenario scenario = new Scenario("priorities", PARTITIONS);
        Producers low = new Producers(scenario, Scenario.size(60_000, 300_000));
        TaskProducer producer =
            TaskProducer.builder(scenario.kafka().bootstrapServers()).name("urgent").build()) {
      List<WorkerProcess> workers =
          workers(scenario, LONG_MILLIS, "--priorities", "1,9", "--capacity", "" + CAPACITY);
      int urgentPerSecond = (int) (MOST_PER_SECOND / 2);
      low.start("low", "--priority", "0");
      low.awaitAccepted(2L * CAPACITY);
      Offers warm = new Offers(producer);
      warm.offer(urgentPerSecond, PHASE.dividedBy(2), i -> urgent("warm", i));
      long before = low.accepted();
      Offers offers = new Offers(producer);
      offers.offer(urgentPerSecond, PHASE, i -> urgent("urgent", i));
      double lowPerSecond = (low.accepted() - before) / (PHASE.toMillis() / 1e3);
      low.stopAll();
      assertThat(joined(producer)).isTrue();
      workers.forEach(worker -> assertThat(worker.stop(Duration.ofSeconds(20))).isZero());

      Offers.Waits urgent = offers.waits(scenario.histories());
      Report report =
          new HistoryChecker(CheckOptions.undisturbed(Order.KEY).ofQueue(Scenario.QUEUE))
              .check(low.histories(), scenario.histories());
      double[] lowP99 = Offers.waitsOf(low.histories(), scenario.histories());
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("urgentP50", urgent.p50());
      figures.put("urgentP99", urgent.p99());
      figures.put("urgentP99FromDue", urgent.p99FromDue());
      figures.put("lowP50", Offers.Waits.percentile(lowP99, 0.5));
      figures.put("lowP99", Offers.Waits.percentile(lowP99, 0.99));
      figures.put("lowPerSecond", lowPerSecond);
      figures.put("lowShare", lowPerSecond / (lowPerSecond + urgentPerSecond));
      scenario.figures(report, figures);
      assertThat(report.lost()).isZero();
      assertThat(report.orderViolations()).isZero();
      assertThat(urgent.p99()).isLessThan(Offers.Waits.percentile(lowP99, 0.99) / 10);
      // Where all of it cannot be done, urgent ones have nine tenths.
      assertThat(lowPerSecond).isGreaterThan(0.09 * (lowPerSecond + urgentPerSecond));
    }
  }

  /** Both offer more than can be done, and each is let in and served for its part. */
  @Test
  @Tag(Scenario.SIDE_BY_SIDE)
  void theLeastPriorityGetsItsFloor() throws Exception {
    double floor = 0.1;
    PrioritiesDefinition priorities = new PrioritiesDefinition(List.of(1, 19), floor);
    try (Scenario scenario = new Scenario("priorities-floor", PARTITIONS);
        Producers low = new Producers(scenario, Scenario.size(60_000, 300_000));
        Producers urgent = new Producers(scenario, Scenario.size(60_000, 300_000))) {
      Path config = scenario.folder().resolve("sluice.yaml");
      Files.writeString(
          config,
          """
          queues:
            %s:
              priorities: {weights: [1, 19], floor: %s}
          """
              .formatted(Scenario.QUEUE, floor));
      List<WorkerProcess> workers =
          workers(
              scenario, LONG_MILLIS, "--config", config.toString(), "--capacity", "" + CAPACITY);
      low.start("low", "--priority", "0");
      urgent.start("urgent", "--priority", "1");
      low.awaitAccepted(CAPACITY / 2);
      urgent.awaitAccepted(2L * CAPACITY);
      long lowBefore = low.accepted();
      long urgentBefore = urgent.accepted();
      long from = SystemClock.INSTANCE.epochMillis() * 1_000;
      Scenario.awaitThat(
          "another " + PHASE,
          PHASE.plusSeconds(30),
          () -> SystemClock.INSTANCE.epochMillis() * 1_000 - from >= PHASE.toNanos() / 1_000);
      double lowAccepted = low.accepted() - lowBefore;
      double urgentAccepted = urgent.accepted() - urgentBefore;
      low.stopAll();
      urgent.stopAll();
      try (TaskProducer producer = TaskProducer.connect(scenario.kafka().bootstrapServers())) {
        assertThat(joined(producer)).isTrue();
      }
      workers.forEach(worker -> assertThat(worker.stop(Duration.ofSeconds(20))).isZero());

      long to = from + PHASE.toNanos() / 1_000;
      double lowStarts = starts(low, scenario, from, to);
      double urgentStarts = starts(urgent, scenario, from, to);
      double[] lowWaits = Offers.waitsOf(low.histories(), scenario.histories());
      double[] urgentWaits = Offers.waitsOf(urgent.histories(), scenario.histories());
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("floor", floor);
      figures.put("lowPart", priorities.share(0));
      figures.put("lowOfAccepted", lowAccepted / (lowAccepted + urgentAccepted));
      figures.put("lowOfStarts", lowStarts / (lowStarts + urgentStarts));
      figures.put("startsPerSecond", (lowStarts + urgentStarts) * 1e3 / PHASE.toMillis());
      figures.put("urgentP99", Offers.Waits.percentile(urgentWaits, 0.99));
      figures.put("lowP99", Offers.Waits.percentile(lowWaits, 0.99));
      Report report =
          new HistoryChecker(CheckOptions.undisturbed(Order.NONE).ofQueue(Scenario.QUEUE))
              .check(low.histories(), scenario.histories());
      scenario.figures(report, figures);
      assertThat(report.lost()).isZero();
      assertThat(Offers.starts(scenario.histories()).keySet())
          .containsAll(Offers.accepted(urgent.histories()).keySet());
      assertThat(lowStarts / (lowStarts + urgentStarts)).isGreaterThan(floor);
      assertThat(lowAccepted / (lowAccepted + urgentAccepted)).isGreaterThan(floor);
    }
  }

  /** How many of theirs were started in that time. */
  private static long starts(Producers producers, Scenario scenario, long from, long to) {
    Set<String> theirs = Offers.accepted(producers.histories()).keySet();
    return Offers.starts(scenario.histories()).entrySet().stream()
        .filter(start -> start.getValue() >= from && start.getValue() < to)
        .filter(start -> theirs.contains(start.getKey()))
        .count();
  }

  private static boolean joined(TaskProducer producer) {
    try {
      return producer.flush(Duration.ofMinutes(1))
          && producer.join(Scenario.QUEUE, Duration.ofMinutes(3));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Task<?> urgent(String phase, long i) {
    return Task.of(Scenario.QUEUE, "t", "x")
        .id(phase + "-" + i)
        .key(phase + "-" + i % 997)
        .priority(1);
  }
}
