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
import java.util.HashSet;
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

  /**
   * The same where waits of milliseconds are compared: it leaves processor time to all on two
   * cores, so that it is the turns that are measured.
   */
  private static final double TENANTS_MOST_PER_SECOND = 1_000;

  /** Nothing is interrupted for anybody: whoever comes waits for the next slot, here 1 to 2 ms. */
  private static final int SHORT_MILLIS = 4;

  private static final int LONG_MILLIS = 20;

  private static List<WorkerProcess> workers(
      Scenario scenario, double perSecond, int workMillis, String... flags) {
    int concurrency = (int) (perSecond * workMillis / 1e3 / WORKERS);
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

  /**
   * Ten tenants offer a fifth of what can be done; then one more a hundred times as much as each.
   * In rounds, and the medians of these are compared: a broker that stands still for a second would
   * be the p99 of a minute.
   */
  @Test
  void aTenantThatOffersAHundredTimesAsMuchDoesNotMakeOthersWait() {
    int tenants = 10;
    int each = 20;
    int rounds = Scenario.size(1, 5);
    Duration part = Duration.ofSeconds(Scenario.size(5, 15));
    try (Scenario scenario = new Scenario("tenants", PARTITIONS);
        Producers greedy = new Producers(scenario, Scenario.size(60_000, 300_000));
        Modest modest = new Modest(scenario, tenants, each)) {
      List<WorkerProcess> workers =
          workers(
              scenario,
              TENANTS_MOST_PER_SECOND,
              SHORT_MILLIS,
              "--tenants",
              "--capacity",
              "" + CAPACITY,
              "--order",
              "key");
      modest.offer("warm", part);
      List<List<Offers>> alone = new ArrayList<>();
      List<List<Offers>> beside = new ArrayList<>();
      List<Double> greedyPerSecond = new ArrayList<>();
      for (int round = 0; round < rounds; round++) {
        alone.add(modest.offer("alone." + round, part));
        long before = greedy.accepted();
        greedy.start("greedy-" + round, "--tenant", "a", "--rate", "" + 100 * each);
        greedy.awaitAccepted(before + 2L * CAPACITY);
        modest.offer("between." + round, Duration.ofSeconds(Scenario.size(1, 3)));
        long begun = greedy.accepted();
        beside.add(modest.offer("beside." + round, part));
        greedyPerSecond.add((greedy.accepted() - begun) * 1e3 / part.toMillis());
        greedy.stopAll();
        scenario.awaitDrained(Duration.ofMinutes(2));
      }
      workers.forEach(worker -> assertThat(worker.stop(Duration.ofSeconds(20))).isZero());

      List<Offers.Waits> without = waits(alone, scenario);
      List<Offers.Waits> with = waits(beside, scenario);
      double p99Without = median(without.stream().map(Offers.Waits::p99).toList());
      double p99With = median(with.stream().map(Offers.Waits::p99).toList());
      double greedyMedian = median(greedyPerSecond);
      double used = (greedyMedian + tenants * each) / TENANTS_MOST_PER_SECOND;
      Report report =
          new HistoryChecker(CheckOptions.undisturbed(Order.KEY).ofQueue(Scenario.QUEUE))
              .check(greedy.histories(), scenario.histories());
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("p50Without", median(without.stream().map(Offers.Waits::p50).toList()));
      figures.put("p50With", median(with.stream().map(Offers.Waits::p50).toList()));
      figures.put("p99WithoutEach", without.stream().map(Offers.Waits::p99).toList());
      figures.put("p99WithEach", with.stream().map(Offers.Waits::p99).toList());
      figures.put("ratioP99", p99With / p99Without);
      figures.put(
          "ratioP99FromDue",
          median(with.stream().map(Offers.Waits::p99FromDue).toList())
              / median(without.stream().map(Offers.Waits::p99FromDue).toList()));
      figures.put("greedyPerSecond", greedyPerSecond);
      figures.put("ofWhatCanBeDone", used);
      scenario.figures(report, figures);
      assertThat(report.orderViolations()).isZero();
      assertThat(report.lost()).isZero();
      // What waits is as much as two seconds of work: behind it, each would have to wait that long.
      assertThat(p99With).isLessThan(1e3 * CAPACITY / MOST_PER_SECOND / 4);
      if (Scenario.full()) {
        assertThat(p99With / p99Without).isLessThanOrEqualTo(2);
        // A wait of 4 ms takes about 4.1 ms here.
        assertThat(used).isGreaterThan(0.85);
      }
    }
  }

  private static List<Offers.Waits> waits(List<List<Offers>> rounds, Scenario scenario) {
    return rounds.stream().map(round -> Offers.waits(round, scenario.histories())).toList();
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
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
          workers(
              scenario,
              MOST_PER_SECOND,
              LONG_MILLIS,
              "--priorities",
              "1,9",
              "--capacity",
              "" + CAPACITY);
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
              scenario,
              MOST_PER_SECOND,
              LONG_MILLIS,
              "--config",
              config.toString(),
              "--capacity",
              "" + CAPACITY);
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
      Set<String> unstarted = new HashSet<>(Offers.accepted(urgent.histories()).keySet());
      unstarted.removeAll(Offers.starts(scenario.histories()).keySet());
      assertThat(unstarted).isEmpty();
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
