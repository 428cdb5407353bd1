// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.Order;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The checker as a command. */
@Command(
    name = "check",
    mixinStandardHelpOptions = true,
    description =
        "Judges history files by S1 (nothing lost), S2 (duplicates), S3 (order) and S4 (limits).",
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:every promise was kept",
      "1:a file cannot be read or is damaged",
      "2:wrong usage",
      "3:a promise was broken"
    })
public final class CheckMain implements Callable<Integer> {
  private static final int EXIT_VIOLATED = 3;

  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--producer", arity = "1..*", description = "History files of producers.")
  private List<Path> producers = new ArrayList<>();

  @Option(
      names = "--worker",
      arity = "1..*",
      required = true,
      description = "History files of workers, one per process.")
  private List<Path> workers = new ArrayList<>();

  @Option(names = "--order", defaultValue = "key", description = "key, partition or none.")
  private String order = "key";

  @Option(names = "--queue", description = "The queue to judge, where there are several.")
  private @Nullable String queue;

  @Option(
      names = "--kill",
      paramLabel = "INCARNATION@MONO",
      description = "A worker that was killed with -9, and when.")
  private List<String> kills = new ArrayList<>();

  @Option(
      names = "--suspension",
      paramLabel = "INCARNATION@FROM-TO",
      description = "A worker that stood still, and from when to when.")
  private List<String> suspensions = new ArrayList<>();

  @Option(
      names = "--commit-window-ms",
      defaultValue = "1000",
      description = "Commit interval plus the time of a commit (default ${DEFAULT-VALUE}).")
  private long commitWindowMillis;

  @Option(
      names = "--unexplained-max",
      defaultValue = "0",
      description = "Duplicates allowed without a kill or suspension (default ${DEFAULT-VALUE}).")
  private long unexplainedMax;

  @Option(
      names = "--fleet-rate",
      paramLabel = "R",
      defaultValue = "0",
      description = "S4: all workers together start at most so many per second.")
  private double fleetRate;

  @Option(
      names = "--fleet-burst",
      paramLabel = "B",
      defaultValue = "1",
      description = "S4: with this burst (default ${DEFAULT-VALUE}).")
  private long fleetBurst;

  @Option(
      names = "--fleet-concurrency",
      paramLabel = "C",
      defaultValue = "0",
      description = "S4: all workers together run at most so many at once.")
  private long fleetConcurrency;

  @Option(
      names = {"-o", "--output"},
      defaultValue = "table",
      description = "table or json.")
  private String output = "table";

  /** Exits with the code of the command. */
  @SuppressWarnings("SystemOut") // a command's output
  public static void main(String[] args) {
    System.exit(run(args, new PrintWriter(System.out, true), new PrintWriter(System.err, true)));
  }

  /** Runs the command with these streams; returns its exit code. */
  static int run(String[] args, PrintWriter out, PrintWriter err) {
    return new CommandLine(new CheckMain())
        .setOut(out)
        .setErr(err)
        .setExecutionExceptionHandler(
            (failure, command, parsed) -> {
              command.getErr().println(failure.getMessage());
              return CommandLine.ExitCode.SOFTWARE;
            })
        .execute(args);
  }

  @Override
  public Integer call() throws JsonProcessingException {
    Report report = new HistoryChecker(options()).check(producers, workers);
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    if (output.equals("json")) {
      out.println(new ObjectMapper().writeValueAsString(report));
    } else {
      print(report, out);
    }
    boolean fleet = fleetRate <= 0 && fleetConcurrency <= 0 || judgeFleet(out);
    return report.ok() && fleet ? CommandLine.ExitCode.OK : EXIT_VIOLATED;
  }

  private boolean judgeFleet(PrintWriter out) throws JsonProcessingException {
    FleetLimits limits = new FleetLimits(fleetRate, fleetBurst, fleetConcurrency);
    FleetFigures figures = FleetJudge.judge(workers, limits, options().disturbances());
    if (output.equals("json")) {
      out.println(new ObjectMapper().writeValueAsString(figures));
    } else {
      out.println(figures);
    }
    return figures.violations().isEmpty();
  }

  private CheckOptions options() {
    List<Disturbance> disturbances = new ArrayList<>();
    for (String kill : kills) {
      int at = separator(kill, "--kill");
      disturbances.add(
          Disturbance.kill(kill.substring(0, at), mono(kill.substring(at + 1), "--kill")));
    }
    for (String suspension : suspensions) {
      int at = separator(suspension, "--suspension");
      int to = suspension.indexOf('-', at + 2);
      if (to < 0) {
        throw usage("--suspension", suspension);
      }
      disturbances.add(
          Disturbance.suspension(
              suspension.substring(0, at),
              mono(suspension.substring(at + 1, to), "--suspension"),
              mono(suspension.substring(to + 1), "--suspension")));
    }
    return new CheckOptions(
        parseOrder(), queue, Duration.ofMillis(commitWindowMillis), disturbances, unexplainedMax);
  }

  private Order parseOrder() {
    try {
      return Order.valueOf(order.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw usage("--order", order);
    }
  }

  private int separator(String text, String option) {
    int at = text.lastIndexOf('@');
    if (at <= 0) {
      throw usage(option, text);
    }
    return at;
  }

  private long mono(String text, String option) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw usage(option, text);
    }
  }

  private CommandLine.ParameterException usage(String option, String value) {
    return new CommandLine.ParameterException(
        Objects.requireNonNull(spec).commandLine(),
        "The value '" + value + "' of " + option + " cannot be read; see --help.");
  }

  private static void print(Report report, PrintWriter out) {
    DuplicateFigures duplicates = report.duplicates();
    out.printf(
        Locale.ROOT,
        "accepted %d, runs %d, done %d, dead %d%nlost %d, overlaps %d (fenced %d), swaps %d%n",
        report.accepted(),
        report.runs(),
        report.done(),
        report.dead(),
        report.lost(),
        report.overlaps(),
        report.fencedOverlaps(),
        report.swaps());
    out.printf(
        Locale.ROOT,
        "duplicates %d (unexplained %d, outlived the hand-over %d), interrupted %d, retries %d%n",
        duplicates.duplicates(),
        duplicates.unexplained(),
        duplicates.outlived(),
        duplicates.interrupted(),
        duplicates.retries());
    for (DisturbanceFigures each : duplicates.disturbances()) {
      out.printf(
          Locale.ROOT,
          "%s of %s: %d in flight, %d completed in the window, %d ran again, bound %d%n",
          each.kind(),
          each.incarnation(),
          each.inFlight(),
          each.completedInWindow(),
          each.duplicates(),
          each.bound());
    }
    report.violations().forEach(out::println);
    out.println(report.ok() ? "OK" : "VIOLATED");
  }
}
