// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.share;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RateSharingTest {
  private static final long SECOND = 1_000_000_000L;
  private final RateSharing sharing = new RateSharing();

  private static Demand wants(String holder, long milliRate) {
    return new Demand(holder, milliRate, false, false);
  }

  @Test
  void theRateFollowsDemandAndTheBurstFollowsTheRate() {
    Map<String, Target> targets =
        sharing.plan(
            new Share(500_000, 50),
            List.of(wants("a", 900_000), wants("b", 30_000), wants("c", 0)),
            5 * SECOND,
            0);
    assertThat(targets).containsOnlyKeys("a", "b");
    long rate = targets.values().stream().mapToLong(t -> t.share().milliRate()).sum();
    long burst = targets.values().stream().mapToLong(t -> t.share().units()).sum();
    assertThat(rate).isBetween(480_000L, 500_000L);
    assertThat(burst).isLessThanOrEqualTo(50);
    assertThat(targets.get("b").share().milliRate()).isGreaterThanOrEqualTo(30_000);
    assertThat(targets.get("a").share().units()).isGreaterThan(targets.get("b").share().units());
  }

  @Test
  void aBucketThatCannotBeSplitGoesRound() {
    Share limit = new Share(5_000, 1);
    Set<String> had = new HashSet<>();
    String holder = "";
    for (int turn = 0; turn < 4; turn++) {
      List<Demand> demands = new ArrayList<>();
      for (String each : List.of("a", "b", "c", "d")) {
        demands.add(new Demand(each, 5_000, each.equals(holder), each.equals(holder)));
      }
      Map<String, Target> targets = sharing.plan(limit, demands, 5 * SECOND, turn * SECOND);
      assertThat(targets).as("one at a time").hasSize(1);
      Target target = targets.values().iterator().next();
      assertThat(target.share()).isEqualTo(limit);
      assertThat(target.turn()).isPositive();
      assertThat(target.startsMax()).isEqualTo(13);
      holder = targets.keySet().iterator().next();
      had.add(holder);
    }
    assertThat(had).containsExactlyInAnyOrder("a", "b", "c", "d");
  }

  @Test
  void whoIsAloneHasNoTurns() {
    Map<String, Target> targets =
        sharing.plan(new Share(5_000, 1), List.of(wants("a", 1_000)), 5 * SECOND, 0);
    assertThat(targets.get("a")).isEqualTo(new Target(new Share(5_000, 1), 0, 0));
  }

  @Test
  void theTimeOfATurnRunsFromWhenItsHolderHasTheShare() {
    Share limit = new Share(5_000, 1);
    List<Demand> waiting = List.of(wants("a", 5_000), wants("b", 5_000));
    String first = sharing.plan(limit, waiting, 5 * SECOND, 0).keySet().iterator().next();
    assertThat(sharing.plan(limit, waiting, 5 * SECOND, 60 * SECOND))
        .as("it could not begin")
        .containsOnlyKeys(first);
    List<Demand> begun =
        List.of(
            new Demand("a", 5_000, first.equals("a"), false),
            new Demand("b", 5_000, first.equals("b"), false));
    assertThat(sharing.plan(limit, begun, 5 * SECOND, 61 * SECOND)).containsOnlyKeys(first);
    assertThat(sharing.plan(limit, begun, 5 * SECOND, 90 * SECOND)).doesNotContainKey(first);
  }

  @Test
  void slotsAreWholeAndGoRoundWhereThereAreTooFew() {
    SlotSharing slots = new SlotSharing();
    Map<String, Target> split =
        slots.plan(5, List.of(wants("a", 16), wants("b", 16), wants("c", 1)), 0);
    assertThat(split.values().stream().mapToLong(t -> t.share().units()).sum()).isEqualTo(5);
    assertThat(split.get("c").share().units()).isEqualTo(1);
    assertThat(slots.plan(1, List.of(wants("a", 16), wants("b", 16)), 0)).hasSize(1);
  }
}
