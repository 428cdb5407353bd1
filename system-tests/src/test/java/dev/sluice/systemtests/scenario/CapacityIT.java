// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import dev.sluice.systemtests.check.CheckOptions;
import dev.sluice.systemtests.check.HistoryChecker;
import dev.sluice.systemtests.check.Report;
import dev.sluice.systemtests.process.BacklogSampler;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.WorkerProcess;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The capacity of a queue, with producers that push as fast as they can. */
class CapacityIT {
  private static final int PARTITIONS = 12;
  private static final int CAPACITY = Scenario.size(2_000, 10_000);
  private static final int TASKS = Scenario.size(60_000, 400_000);
  private static final int NO_ROOM_IN_TIME = 124;

  private static Fleet fleet(Scenario scenario) {
    return new Fleet(scenario, "--handler", "sleep:20ms", "--capacity", "" + CAPACITY);
  }

  private static BacklogSampler sampler(Scenario scenario) {
    return new BacklogSampler(
        scenario.kafka().bootstrapServers(), Scenario.GROUP, Scenario.QUEUE, PARTITIONS);
  }

  @Test
  void producersShareWhatWorkersDrainAndFollowThem() {
    try (Scenario scenario = new Scenario("capacity", PARTITIONS);
        Producers producers = new Producers(scenario, TASKS)) {
      Fleet fleet = fleet(scenario).of("capacity", 2);
      try (BacklogSampler backlog = sampler(scenario)) {
        for (int i = 1; i <= 3; i++) {
          producers.start("producer-" + i);
        }
        // The first to come fill the empty queue; what is shared is what is drained from then on.
        for (int i = 0; i < 3; i++) {
          int which = i;
          Scenario.awaitThat(
              "all producers to be admitted",
              Duration.ofSeconds(60),
              () -> producers.accepted(which) > 100);
        }
        awaitFull(backlog);
        long[] accepted = new long[3];
        for (int i = 0; i < 3; i++) {
          accepted[i] = -producers.accepted(i);
        }
        producers.awaitAccepted(producers.accepted() + Scenario.size(8_000, 20_000));
        for (int i = 0; i < 3; i++) {
          accepted[i] += producers.accepted(i);
        }

        double two = producers.acceptedPerSecond(Duration.ofSeconds(3));
        WorkerProcess third = fleet.join("capacity-2");
        WorkerProcess fourth = fleet.join("capacity-3");
        Scenario.awaitReady(third, fourth);
        long ready = SystemClock.INSTANCE.nanos();
        double follows = 0;
        double four = 0;
        while (four < 1.6 * two) {
          follows = (SystemClock.INSTANCE.nanos() - ready) / 1e9;
          four = producers.acceptedPerSecond(Duration.ofMillis(500));
          assertThat(follows).as("seconds until %s/s become more", two).isLessThan(20);
        }

        producers.stopAll();
        scenario.awaitDrained(Duration.ofMinutes(3));
        fleet.stopAll();
        Map<String, Object> figures = figures(scenario, producers, backlog);
        figures.put("accepted", accepted);
        figures.put("jain", jain(accepted));
        figures.put("twoWorkersPerSecond", two);
        figures.put("fourWorkersPerSecond", four);
        figures.put("followsSeconds", follows);
        Scenario.figures("capacity", figures);
        assertThat(backlog.most()).isBetween(CAPACITY / 2L, (long) CAPACITY);
        assertThat(jain(accepted)).isGreaterThan(0.95);
      }
    }
  }

  @Test
  @Tag(Scenario.SIDE_BY_SIDE)
  void producersHoldOrAreRefusedWhileThereIsNoWorkerAndGoOnWithTheNext() {
    try (Scenario scenario = new Scenario("capacity-away", PARTITIONS);
        Producers producers = new Producers(scenario, TASKS)) {
      Fleet fleet = fleet(scenario).of("away", 2);
      try (BacklogSampler backlog = sampler(scenario)) {
        producers.start("holds-1");
        producers.start("holds-2");
        producers.awaitAccepted(CAPACITY * 2L);
        fleet.members().forEach(fleet::kill9);
        awaitHeld(producers, backlog);
        long held = producers.accepted();
        JavaProcess refused = producers.start("refused", "--max-wait", "2s");
        assertThat(refused.awaitExit(Duration.ofSeconds(40))).isEqualTo(NO_ROOM_IN_TIME);
        assertThat(producers.accepted()).isEqualTo(held);

        long since = SystemClock.INSTANCE.nanos();
        WorkerProcess next = fleet.join("away-next");
        Scenario.awaitReady(next);
        long ready = SystemClock.INSTANCE.nanos();
        producers.awaitAccepted(held + 1);
        double again = (SystemClock.INSTANCE.nanos() - ready) / 1e9;
        double fromStart = (SystemClock.INSTANCE.nanos() - since) / 1e9;
        producers.awaitAccepted(held + 1_000);
        producers.stopAll();
        Scenario.awaitReady(fleet.join("away-more"));
        scenario.awaitDrained(Duration.ofMinutes(3));
        fleet.stopAll();
        Map<String, Object> figures = figures(scenario, producers, backlog);
        figures.put("againAfterReadySeconds", again);
        figures.put("againAfterStartSeconds", fromStart);
        Scenario.figures("capacity-away", figures);
        assertThat(backlog.most()).isBetween(CAPACITY / 2L, (long) CAPACITY);
      }
    }
  }

  @Test
  void theCreditOfAProducerThatDiesOrStandsStillBreaksNoCapacity() {
    Scenario.onlyInFull("the simulation, whose producers stand still and are cut off");
    try (Scenario scenario = new Scenario("capacity-producers", PARTITIONS);
        Producers producers = new Producers(scenario, TASKS)) {
      Fleet fleet = fleet(scenario).of("producers", 2);
      try (BacklogSampler backlog = sampler(scenario)) {
        JavaProcess dies = producers.start("dies");
        JavaProcess still = producers.start("still");
        producers.start("lives");
        for (int i = 0; i < 3; i++) {
          int which = i;
          Scenario.awaitThat(
              "all to be admitted", Duration.ofSeconds(60), () -> producers.accepted(which) > 500);
        }
        awaitFull(backlog);
        double before = producers.acceptedPerSecond(Duration.ofSeconds(3));
        dies.kill9();
        long stopped = SystemClock.INSTANCE.nanos();
        still.suspend();
        double alone = producers.acceptedPerSecond(Duration.ofSeconds(4));
        int seconds = Scenario.size(8, 30);
        Scenario.awaitThat(
            "it to stand still long enough",
            Duration.ofSeconds(seconds + 20),
            () -> SystemClock.INSTANCE.nanos() - stopped > seconds * 1_000_000_000L);
        long had = producers.accepted(1);
        still.resume();
        Scenario.awaitThat(
            "it to be admitted again",
            Duration.ofSeconds(30),
            () -> producers.accepted(1) > had + 200);
        producers.stopAll();
        scenario.awaitDrained(Duration.ofMinutes(3));
        fleet.stopAll();
        Map<String, Object> figures = figures(scenario, producers, backlog);
        figures.put("acceptedPerSecondByThree", before);
        figures.put("acceptedPerSecondByOne", alone);
        Scenario.figures("capacity-producers", figures);
        assertThat(backlog.most()).isBetween(CAPACITY / 2L, (long) CAPACITY);
        assertThat(alone).isGreaterThan(before / 2);
      }
    }
  }

  /** From then on only what is drained is accepted. */
  private static void awaitFull(BacklogSampler backlog) {
    Scenario.awaitThat(
        "a full queue", Duration.ofSeconds(60), () -> backlog.last() > CAPACITY * 0.75);
  }

  /** Longer than a lease: what a producer put aside for the time after it is spent, too. */
  private static void awaitHeld(Producers producers, BacklogSampler backlog) {
    Scenario.awaitThat(
        "producers to hold",
        Duration.ofSeconds(60),
        () -> {
          long before = producers.accepted();
          long samples = backlog.samples();
          Scenario.awaitThat(
              "samples", Duration.ofSeconds(60), () -> backlog.samples() >= samples + 150);
          return producers.accepted() == before;
        });
  }

  /** What every one of these runs is judged by: nothing is lost. */
  private static Map<String, Object> figures(
      Scenario scenario, Producers producers, BacklogSampler backlog) {
    Report report =
        new HistoryChecker(
                CheckOptions.undisturbed(Order.NONE)
                    .disturbedBy(scenario.disturbances(), Duration.ofSeconds(1))
                    .allowingUnexplained(Long.MAX_VALUE))
            .check(producers.histories(), scenario.histories());
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("capacity", CAPACITY);
    figures.put("maxBacklog", backlog.most());
    figures.put("samples", backlog.samples());
    figures.put("acceptedInAll", report.accepted());
    figures.put("lost", report.lost());
    assertThat(report.lost()).isZero();
    assertThat(backlog.samples()).isGreaterThan(50);
    return figures;
  }

  private static double jain(long[] shares) {
    double sum = 0;
    double squares = 0;
    for (long share : shares) {
      sum += share;
      squares += (double) share * share;
    }
    return sum * sum / (shares.length * squares);
  }
}
