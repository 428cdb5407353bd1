// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import dev.sluice.fleet.ProtocolRule;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Scenarios that are measured, and what counts as healed. */
final class Scenarios {
  private static final double MOST = 0.5;

  private Scenarios() {}

  /** What a fleet needs to suffer for one rule to matter often. */
  static Scenario against(ProtocolRule rule, long seed) {
    Scenario base = Scenario.small(seed, ProtocolRule.without(rule));
    return switch (rule) {
      case READ_FROM_START ->
          base.withFleet(3, 4).withFaults(List.of(Fault.TWO_LEADERS_AND_JOIN, Fault.JOIN), 4_000);
      case BOOK_THE_LARGEST ->
          base.withFaults(List.of(Fault.CUT_OFF_AND_KILL_LEADER, Fault.JOIN, Fault.SLOW), 1_500);
      case LEASE_FROM_REPORT ->
          base.withFaults(List.of(Fault.SLOW_THEN_CUT_OFF, Fault.SLOW, Fault.RESTART), 1_500);
      default -> base;
    };
  }

  static Scenario large(long seed) {
    return new Scenario(
        seed,
        false,
        10_000,
        1_000,
        256,
        50_000,
        20_000,
        0,
        false,
        1_000_000,
        0,
        50_000,
        0,
        40,
        0,
        200,
        Fault.ANY,
        ProtocolRule.ALL);
  }

  static Scenario slowdown(long seed) {
    return new Scenario(
        seed,
        false,
        3,
        4,
        2,
        0,
        1,
        0,
        false,
        100_000,
        1_000,
        2_000,
        0,
        0,
        0,
        15,
        Fault.ANY,
        ProtocolRule.ALL);
  }

  /** Why a fleet has not healed in the calm after its faults; null if it has. */
  static @Nullable String healed(Scenario scenario, SimulationResult result) {
    // A task takes 63 ms on average. Where the rate goes round in turns, only those start that have
    // the turn, in their part of the slots; ten workers at most.
    double slots = scenario.concurrency() == 0 ? 1e9 : Math.max(1, scenario.concurrency() / 10.0);
    double wanted = Math.min(scenario.rate(), slots / 0.063 / 2) * MOST;
    if (scenario.rate() > 0 && result.startsPerSecond() < wanted) {
      return "starts " + result.startsPerSecond() + "/s of " + scenario.rate();
    }
    if (scenario.capacity() > 0
        && result.drainedPerSecond()
            < Math.min(scenario.drainPerSecond(), scenario.capacity()) * 0.5) {
      return "drained " + result.drainedPerSecond() + "/s of " + scenario.drainPerSecond();
    }
    return null;
  }
}
