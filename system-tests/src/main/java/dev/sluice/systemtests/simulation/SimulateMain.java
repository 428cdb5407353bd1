// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.cli.Commands;
import dev.sluice.cli.ExitCodes;
import dev.sluice.fleet.ProtocolRule;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sluice simulate}: the fleet protocol under virtual time, seed after seed. */
@Command(
    name = "simulate",
    mixinStandardHelpOptions = true,
    description = "Runs the fleet protocol under virtual time, with faults; checks S4 and S5.")
public final class SimulateMain implements Callable<Integer> {
  private static final int CHECK_FAILED = 3;

  @Option(
      names = "--seeds",
      paramLabel = "N",
      defaultValue = "1000",
      description = "How many runs. Default: ${DEFAULT-VALUE}.")
  private int seeds;

  @Option(
      names = "--first-seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "The seed of the first one. Default: ${DEFAULT-VALUE}.")
  private long first;

  @Option(
      names = "--without",
      paramLabel = "RULE",
      description = "Switch one rule off and stop when that is caught: ${COMPLETION-CANDIDATES}.")
  private @Nullable ProtocolRule without;

  @Option(
      names = "--large",
      description = "One large fleet without faults instead: 10,000 workers, 1,000 producers.")
  private boolean large;

  @Option(
      names = "--slowdown",
      description = "A queue that becomes ten times slower and recovers instead.")
  private boolean slowdown;

  @Override
  @SuppressWarnings("SystemOut") // a command's output
  public Integer call() throws JsonProcessingException {
    ObjectMapper mapper = new ObjectMapper();
    if (large) {
      System.out.println(mapper.writeValueAsString(Simulation.run(Scenarios.large(first))));
      return ExitCodes.DONE;
    }
    if (slowdown) {
      for (long seed = first; seed < first + Math.min(seeds, 20); seed++) {
        System.out.println(
            mapper.writeValueAsString(Simulation.slowdown(Scenarios.slowdown(seed), 10)));
      }
      return ExitCodes.DONE;
    }
    int violated = 0;
    int unhealed = 0;
    long begun = System.nanoTime();
    double messages = 0;
    for (long seed = first; seed < first + seeds; seed++) {
      Scenario scenario =
          without == null
              ? Scenario.small(seed, ProtocolRule.ALL)
              : Scenarios.against(without, seed);
      SimulationResult result = Simulation.run(scenario);
      messages += result.messagesPerProcess();
      if (!result.violation().isEmpty()) {
        violated++;
        System.out.println("seed " + seed + ": " + result.violation());
        if (without != null) {
          break;
        }
        continue;
      }
      String why = Scenarios.healed(scenario, result);
      if (why != null) {
        unhealed++;
        System.out.println(
            "seed " + seed + " did not heal: " + why + " " + scenario + " " + result);
      }
    }
    System.out.printf(
        Locale.ROOT,
        "runs %d, violated %d, not healed %d, messages per process and second %.2f, %.1f s%n",
        seeds,
        violated,
        unhealed,
        messages / seeds,
        (System.nanoTime() - begun) / 1e9);
    return (violated > 0) == (without != null) ? ExitCodes.DONE : CHECK_FAILED;
  }

  /** Runs the command. */
  public static void main(String[] args) {
    System.exit(Commands.run(new SimulateMain(), args));
  }
}
