// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.cli.Commands;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The benchmark works and loses nothing; how fast anything is it does not say. */
class BenchmarkIT {
  @Test
  void everySystemRunsAndSluiceLosesNothing(@TempDir Path folder) throws Exception {
    Commands.configureLogging(false);
    Path out = folder.resolve("out");
    int exit =
        Commands.run(
            new BenchmarkCommand(),
            "NOOP",
            "--rounds",
            "1",
            "--scale",
            "0.002",
            "--out",
            out.toString());
    assertThat(exit).isZero();
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(out.resolve("raw.jsonl"))) {
      lines.add(new ObjectMapper().readTree(line));
    }
    assertThat(lines.stream().map(line -> line.get("system").asText()))
        .contains(
            "plain loop",
            "pool per batch",
            "Spring Kafka",
            "share, implicit",
            "Parallel Consumer KEY",
            "Sluice key",
            "Sluice key, all limits",
            "Sluice partition",
            "Sluice none");
    for (JsonNode line : lines) {
      if (line.get("system").asText().startsWith("Sluice") && line.has("lost")) {
        assertThat(line.get("lost").asLong()).as(line.toString()).isZero();
      }
    }
    JsonNode tables = new ObjectMapper().readTree(out.resolve("tables.json").toFile());
    assertThat(tables.get("tables")).hasSize(2);
    assertThat(out.resolve("tables.md")).content().contains("### No-op, uniform keys");
  }
}
