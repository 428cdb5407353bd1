// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.ConfigException;
import dev.sluice.cli.Commands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures Sluice beside its peers. */
@Command(
    name = "benchmark",
    mixinStandardHelpOptions = true,
    description = {
      "Measures Sluice beside a plain loop and its peers: each a process of its own, one after the",
      "other on one broker, in rounds. Prints each run as a line of JSON, then tables with medians",
      "(least to most) and = ratios to the first system. All suites take more than an hour."
    })
public final class BenchmarkCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "SUITE",
      arity = "0..*",
      description = "What to measure. Default: all. ${COMPLETION-CANDIDATES}")
  private List<Suite> suites = new ArrayList<>();

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "How often each system runs each workload. Default: ${DEFAULT-VALUE}.")
  private int rounds = 3;

  @Option(
      names = "--scale",
      paramLabel = "F",
      description =
          "Of the numbers of tasks and seconds, from 0.0001 to 10: below 1, JIT compilation weighs"
              + " more. Default: ${DEFAULT-VALUE}.")
  private double scale = 1;

  @Option(
      names = "--systems",
      paramLabel = "REGEX",
      description =
          "Only systems with such a name, for example 'plain loop|Sluice key.*'; GROWTH and"
              + " UNBOUNDED measure Sluice anyway. Default: all.")
  private @Nullable String systems;

  @Option(
      names = "--newer-java",
      paramLabel = "FILE",
      description =
          "The java of a JDK of 24 or later, for the rows with virtual threads, which are left out"
              + " without it.")
  private @Nullable Path newerJava;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Takes raw.jsonl, tables.md, tables.json and logs. Default: a new folder here.")
  private @Nullable Path out;

  /** Runs the command. */
  public static void main(String[] args) {
    Commands.configureLogging(false);
    System.exit(Commands.run(new BenchmarkCommand(), args));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (rounds < 1 || rounds > 100) {
      throw new ConfigException("--rounds " + rounds + " is not between 1 and 100.");
    }
    if (!(scale >= 0.0001 && scale <= 10)) {
      throw new ConfigException("--scale " + scale + " is not between 0.0001 and 10.");
    }
    Path java = newerJava;
    if (java != null && !Files.isExecutable(java)) {
      throw new ConfigException("--newer-java " + java + " cannot be executed.");
    }
    Predicate<String> measured = name -> true;
    if (systems != null) {
      try {
        measured = Pattern.compile(systems).asMatchPredicate();
      } catch (PatternSyntaxException e) {
        throw new ConfigException("--systems is no regular expression: " + e.getMessage(), e);
      }
    }
    Set<Suite> chosen = suites.isEmpty() ? EnumSet.allOf(Suite.class) : EnumSet.copyOf(suites);
    Path folder =
        out != null
            ? out
            : Path.of(
                "benchmark-"
                    + LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss")));
    List<Table> tables = new ArrayList<>();
    String javaText = java == null ? null : java.toString();
    try (Bench bench = new Bench(folder, rounds, scale, javaText, measured)) {
      for (Suite suite : chosen) {
        for (Table table : suite.run(bench)) {
          if (table.lines().isEmpty()) {
            continue; // no system that was asked for has this row
          }
          tables.add(table);
          bench.show("\n" + table.text());
          write(folder, tables);
        }
      }
      if (tables.isEmpty()) {
        throw new ConfigException(
            "--systems " + systems + ": none of these suites has a system of such a name.");
      }
      bench.show("Written to " + folder);
    }
    return 0;
  }

  private void write(Path folder, List<Table> tables) throws IOException {
    StringBuilder text = new StringBuilder();
    ObjectNode json = Bench.object();
    json.put("rounds", rounds).put("scale", scale);
    json.put("processors", Runtime.getRuntime().availableProcessors());
    json.put("java", Runtime.version().toString());
    ArrayNode all = json.putArray("tables");
    for (Table table : tables) {
      text.append(table.text()).append('\n');
      all.add(table.json());
    }
    Files.writeString(folder.resolve("tables.md"), text);
    Files.writeString(folder.resolve("tables.json"), json.toPrettyString() + "\n");
  }
}
