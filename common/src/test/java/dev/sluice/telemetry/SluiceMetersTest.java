// SPDX-License-Identifier: Apache-2.0
package dev.sluice.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.pause.PauseReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SluiceMetersTest {
  private static final Path DOCS = Path.of("..", "docs", "metrics.md");

  @Test
  void namesAreUniqueAndFitForPrometheus() {
    assertThat(SluiceMeters.values()).extracting(SluiceMeters::meterName).doesNotHaveDuplicates();
    for (SluiceMeters meter : SluiceMeters.values()) {
      assertThat(meter.prometheusName()).matches("[a-z][a-z0-9_]*[a-z0-9]");
      assertThat(meter.prometheusLabels()).allMatch(label -> label.matches("[a-z][a-z0-9_]*"));
      assertThat(meter.meaning()).endsWith(".");
    }
  }

  @Test
  void kindsShowInThePrometheusName() {
    assertThat(SluiceMeters.WORKER_COMMITS.prometheusName())
        .isEqualTo("sluice_worker_commits_total");
    assertThat(SluiceMeters.WORKER_PROCESS_DURATION.prometheusName())
        .isEqualTo("messaging_process_duration_seconds");
    assertThat(SluiceMeters.WORKER_LANE_BYTES.prometheusName())
        .isEqualTo("sluice_worker_lane_bytes");
  }

  @Test
  void theDocumentedTableIsTheCatalogue() throws IOException {
    if (Boolean.getBoolean("sluice.docs.write")) {
      Files.createDirectories(DOCS.getParent());
      Files.writeString(DOCS, document());
    }
    assertThat(Files.readString(DOCS))
        .as("docs/metrics.md; write it anew with -Dsluice.docs.write=true")
        .isEqualTo(document());
  }

  private static String document() {
    StringBuilder text = new StringBuilder();
    text.append("# Metrics\n\n");
    text.append("Made from `SluiceMeters`; a test compares them. Micrometer's names have dots");
    text.append(" where Prometheus has underscores.\n\n");
    text.append("| Prometheus | kind | unit | labels | meaning |\n|---|---|---|---|---|\n");
    for (SluiceMeters meter : SluiceMeters.values()) {
      String name =
          meter.kind() == SluiceMeters.Kind.TIMER
              ? "`" + meter.prometheusName() + "_count`, `_sum`"
              : "`" + meter.prometheusName() + "`";
      String labels =
          meter.prometheusLabels().stream()
              .map(label -> "`" + label + "`")
              .reduce((a, b) -> a + ", " + b)
              .orElse("");
      text.append(
          String.join(
              " | ",
              "| " + name,
              meter.kind().name().toLowerCase(java.util.Locale.ROOT),
              meter.unit(),
              labels,
              meter.meaning() + " |\n"));
    }
    text.append("\n`reason` is one of:\n\n| reason | cleared when |\n|---|---|\n");
    Arrays.stream(PauseReason.values())
        .forEach(
            reason ->
                text.append("| `")
                    .append(reason.name())
                    .append("` | ")
                    .append(reason.clearedBy())
                    .append(" |\n"));
    return text.toString();
  }
}
