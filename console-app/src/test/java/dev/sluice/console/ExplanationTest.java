// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.fleet.CreditReport;
import dev.sluice.fleet.DeclaredQueue;
import dev.sluice.fleet.Epoch;
import dev.sluice.fleet.FleetSettings;
import dev.sluice.fleet.GrantBatch;
import dev.sluice.fleet.LimitKey;
import dev.sluice.fleet.LimitReport;
import dev.sluice.fleet.OperatorSetting;
import dev.sluice.fleet.OperatorSetting.What;
import dev.sluice.fleet.PartitionReport;
import dev.sluice.fleet.QueueReport;
import dev.sluice.fleet.Report;
import dev.sluice.flow.share.Share;
import dev.sluice.queue.PrioritiesDefinition;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ExplanationTest {
  private static final LimitKey RATE = LimitKey.ofQueue(LimitKey.Kind.RATE, "q");
  private static final FleetSettings DECLARED =
      FleetSettings.EMPTY.with(
          new DeclaredQueue(
              "q",
              "topic.q",
              "g",
              500,
              2_000,
              new PrioritiesDefinition(List.of(1, 9), 0.2),
              3,
              "w",
              1));

  private static Report report(
      String name,
      Report.Kind kind,
      List<LimitReport> limits,
      List<CreditReport> credits,
      List<QueueReport> queues) {
    return new Report(name, name + "-i", kind, 1, "t", 0, 0, 0, 0, false, limits, credits, queues);
  }

  private static FleetPicture picture(
      FleetSettings settings, boolean coordinated, Report... reports) {
    GrantBatch beat = new GrantBatch(new Epoch("t", 1, 0, "w1-i"), 0, 5_000, 0, true, List.of());
    return new FleetPicture(
        settings,
        List.of(reports),
        Map.of(),
        coordinated ? Optional.of(beat) : Optional.empty(),
        100);
  }

  private static Report worker(Map<String, Long> reasons, Share held) {
    return report(
        "w1",
        Report.Kind.WORKER,
        List.of(new LimitReport(RATE, new Share(5_000, 1), 0, 1_000, held, false, 0)),
        List.of(),
        List.of(
            new QueueReport(
                "q", "topic.q", "g", List.of(new PartitionReport(3, 7, 1, 0, 1, reasons)))));
  }

  @Test
  void nothingHoldsAQueueThatMoves() {
    assertThat(
            Explanation.of("q", picture(DECLARED, true, worker(Map.of(), new Share(5_000, 1))), 9))
        .isEmpty();
  }

  @Test
  void eachReasonOfAPartitionSaysSinceWhenAndWhatClearsIt() {
    List<Explanation> all =
        Explanation.of(
            "q",
            picture(DECLARED, true, worker(Map.of("LANE_FULL", 1_234L), new Share(5_000, 1))),
            9);
    assertThat(all).hasSize(1);
    assertThat(all.get(0).what()).isEqualTo("partition 3");
    assertThat(all.get(0).reason()).isEqualTo("LANE_FULL");
    assertThat(all.get(0).sinceMillis()).isEqualTo(1_234);
    assertThat(all.get(0).clearedBy()).isEqualTo("tasks of the partition finish");
  }

  @Test
  void producersThatWaitAndWorkersWithoutAShareAreNamed() {
    Report producer =
        report(
            "p1",
            Report.Kind.PRODUCER,
            List.of(),
            List.of(new CreditReport("q", 1, 1, 0, 9, 4, 0, 10, 0)),
            List.of());
    assertThat(
            Explanation.of("q", picture(DECLARED, true, worker(Map.of(), Share.NONE), producer), 9))
        .extracting(Explanation::who, Explanation::reason)
        .containsExactly(
            org.assertj.core.api.Assertions.tuple("p1", "QUEUE_FULL"),
            org.assertj.core.api.Assertions.tuple("w1", "FLEET_LIMIT"));
    assertThat(Explanation.of("q", picture(DECLARED, false, producer), 9))
        .extracting(Explanation::reason)
        .containsExactly("NO_COORDINATOR", "NO_WORKER");
  }

  @Test
  void aDescriptionShowsWhatIsConfiguredWhatHoldsAndWhoSetIt() {
    FleetSettings set =
        DECLARED
            .with(new OperatorSetting("q", What.FLEET_RATE, 2_500, 3, "operator-a", 1, 1_000))
            .with(new OperatorSetting("q", What.PAUSE, 0, 0, "operator-b", 1, 0));
    FleetPicture picture = picture(set, true, worker(Map.of(), new Share(5_000, 1)));
    assertThat(line(picture, "fleetRate", 500))
        .isEqualTo(
            new QueueDescription(
                "fleetRate",
                "5/s, burst 1",
                "2.5/s, burst 3",
                "operator-a",
                "1970-01-01T00:00:01Z"));
    assertThat(line(picture, "fleetRate", 1_000).effective())
        .as("it has ended")
        .isEqualTo("5/s, burst 1");
    assertThat(line(picture, "paused", 500).effective()).isEqualTo("yes");
    assertThat(line(picture, "capacity", 500).effective()).isEqualTo("500");
    assertThat(line(picture, "priorities", 500).effective()).isEqualTo("weights 1 : 9, floor 0.2");
    assertThat(line(picture, "maxChildren", 500).effective()).isEqualTo("3");
    assertThat(line(picture, "coordinator", 500).effective()).isEqualTo("w1");
  }

  private static QueueDescription line(FleetPicture picture, String setting, long nowMillis) {
    return QueueDescription.of("q", picture, nowMillis).stream()
        .filter(line -> line.setting().equals(setting))
        .findFirst()
        .orElseThrow();
  }
}
