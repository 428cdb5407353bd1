// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.torture;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.cli.Commands;
import dev.sluice.cli.ExitCodes;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sluice torture}: a fleet under random faults, and what its histories say afterwards. */
@Command(
    name = "torture",
    mixinStandardHelpOptions = true,
    description =
        "Runs three brokers, three workers and two queues under random faults, and judges S1, S2,"
            + " S3, L1 and L2 by the histories. Exits with 3 if one was broken.")
public final class TortureMain implements Callable<Integer> {
  private static final int CHECK_FAILED = 3;

  @Option(
      names = "--minutes",
      paramLabel = "N",
      defaultValue = "15",
      description = "How long faults go on. Default: ${DEFAULT-VALUE}.")
  private int minutes;

  @Option(names = "--seed", paramLabel = "S", description = "Default: drawn, and printed.")
  private @Nullable Long seed;

  @Option(
      names = "--folder",
      paramLabel = "DIR",
      defaultValue = "target/torture",
      description = "Takes the histories and logs; emptied first. Default: ${DEFAULT-VALUE}.")
  private Path folder = Path.of("target", "torture");

  @Override
  @SuppressWarnings("SystemOut") // a command's output
  public Integer call() throws InterruptedException, IOException {
    Commands.configureLogging(false);
    long own = seed == null ? new SecureRandom().nextInt(1_000_000) : seed;
    System.out.println("seed " + own);
    TortureRun.Result result =
        new TortureRun(TortureRun.fresh(folder), own, Duration.ofMinutes(minutes)).run();
    Map<String, Object> printed = new LinkedHashMap<>();
    printed.put("seed", own);
    printed.put("minutes", minutes);
    printed.put("ok", result.ok());
    printed.putAll(result.figures());
    System.out.println(new ObjectMapper().writeValueAsString(printed));
    result.violations().forEach(System.out::println);
    if (!result.ok()) {
      System.out.println("again: ./sluice torture --minutes " + minutes + " --seed " + own);
    }
    return result.ok() ? ExitCodes.DONE : CHECK_FAILED;
  }

  /** Runs the command. */
  public static void main(String[] args) {
    System.exit(Commands.run(new TortureMain(), args));
  }
}
