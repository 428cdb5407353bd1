// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.sluice.fleet.ProtocolRule;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every failure begins with its seed: {@code ./sluice simulate --first-seed S --seeds 1}. */
class SimulationTest {
  private static final int SEEDS = Integer.getInteger("sluice.seeds", 1_000);

  /** The rules that few seeds catch, each with one that did: it is tried before all others. */
  private static final Map<ProtocolRule, Long> CATCHES =
      Map.of(
          ProtocolRule.READ_FROM_START, 11L,
          ProtocolRule.BOOK_THE_LARGEST, 641L,
          ProtocolRule.LEASE_FROM_REPORT, 308L);

  @Test
  void noSeedBreaksALimitOrTheCapacityAndEveryFleetHeals() {
    assertThat(
            LongStream.rangeClosed(1, SEEDS)
                .parallel()
                .mapToObj(
                    seed -> {
                      Scenario scenario = Scenario.small(seed, ProtocolRule.ALL);
                      SimulationResult result = Simulation.run(scenario);
                      String violation = result.violation();
                      String unhealed = Scenarios.healed(scenario, result);
                      return violation.isEmpty()
                          ? unhealed == null ? "" : "seed " + seed + " did not heal: " + unhealed
                          : "seed " + seed + ": " + violation;
                    })
                .filter(text -> !text.isEmpty())
                .toList())
        .isEmpty();
  }

  @Test
  void theSameSeedIsTheSameRun() {
    Scenario scenario = Scenario.small(42, ProtocolRule.ALL);
    assertThat(Simulation.run(scenario).hash()).isEqualTo(Simulation.run(scenario).hash());
    assertThat(Simulation.run(Scenario.small(43, ProtocolRule.ALL)).hash())
        .isNotEqualTo(Simulation.run(scenario).hash());
  }

  @Test
  void admissionFollowsAQueueThatBecomesTenTimesSlowerAndRecovers() {
    for (long seed = 1; seed <= 20; seed++) {
      SlowdownResult result = Simulation.slowdown(Scenarios.slowdown(seed), 10);
      double slow = result.fullRate() / 10;
      String as = result.toString();
      assertThat(result.violation()).as(as).isEmpty();
      assertThat(result.admittedBefore()).as(as).isCloseTo(result.fullRate(), withinPercentage(5));
      assertThat(result.believedRate()).as(as).isCloseTo(slow, withinPercentage(10));
      assertThat(result.admittedSoon()).as(as).isLessThan(1.1 * slow);
      assertThat(result.admittedSlow()).as(as).isCloseTo(slow, withinPercentage(10));
      assertThat(result.delaySeconds())
          .as(as)
          .isBetween(0.65 * result.targetSeconds(), 1.35 * result.targetSeconds());
      assertThat(result.settledSeconds()).as(as).isLessThan(9 * result.targetSeconds() + 3);
      assertThat(result.drainedAfter()).as(as).isGreaterThan(0.95 * result.fullRate());
    }
  }

  @ParameterizedTest
  @EnumSource
  void aLimitBreaksWithoutThisRule(ProtocolRule rule) {
    assertThat(caught(rule, CATCHES.getOrDefault(rule, 1L)) || someSeedCatches(rule))
        .as("a seed that catches %s switched off", rule)
        .isTrue();
  }

  private static boolean someSeedCatches(ProtocolRule rule) {
    return LongStream.rangeClosed(1, 1_000).parallel().anyMatch(seed -> caught(rule, seed));
  }

  private static boolean caught(ProtocolRule rule, long seed) {
    return !Simulation.run(Scenarios.against(rule, seed)).violation().isEmpty();
  }
}
