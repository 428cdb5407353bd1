// SPDX-License-Identifier: Apache-2.0
package dev.sluice.history;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.SluiceException;
import dev.sluice.testing.ManualClock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HistoryWriterTest {
  private final ManualClock clock = new ManualClock(77, 1_000);
  private final ObjectMapper mapper = new ObjectMapper();

  @Test
  void everyLineIsOneObjectWhateverTheTextsContain(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("h");
    String odd = "a\"b\\c\nd\u0000\u2713";
    try (HistoryWriter history = HistoryWriter.ofWorker(file, "w\"1", "inc", clock)) {
      history.task(HistoryEvent.START, odd, odd.getBytes(UTF_8), "q", 3, 9, 1, null);
      history.task(HistoryEvent.DEAD, "i", null, "q", 3, 10, 2, odd);
    }
    List<String> lines = Files.readAllLines(file);
    assertThat(lines).hasSize(2);
    JsonNode first = mapper.readTree(lines.get(0));
    assertThat(first.get("event").asText()).isEqualTo("start");
    assertThat(first.get("id").asText()).isEqualTo(odd);
    assertThat(first.get("key").asText()).isEqualTo(odd);
    assertThat(first.get("worker").asText()).isEqualTo("w\"1");
    assertThat(first.get("incarnation").asText()).isEqualTo("inc");
    assertThat(first.get("at").asLong()).isEqualTo(1_000_000);
    assertThat(first.get("mono").asLong()).isEqualTo(77);
    assertThat(first.has("error")).isFalse();
    JsonNode second = mapper.readTree(lines.get(1));
    assertThat(second.get("key").isNull()).isTrue();
    assertThat(second.get("error").asText()).isEqualTo(odd);
    assertThat(second.get("offset").asLong()).isEqualTo(10);
  }

  @Test
  void appendsToWhatIsThere(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("h");
    for (int i = 0; i < 2; i++) {
      try (HistoryWriter history = HistoryWriter.ofProducer(file, clock)) {
        history.submitted(HistoryEvent.ACCEPTED, "i" + i, null, 1, 2);
      }
    }
    assertThat(Files.readAllLines(file)).hasSize(2);
  }

  @Test
  void linesOfSeveralThreadsDoNotMix(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("h");
    try (HistoryWriter history = HistoryWriter.ofProducer(file, clock)) {
      List<FutureTask<Void>> writers = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        String id = "x".repeat(200) + t;
        FutureTask<Void> writer =
            new FutureTask<>(
                () -> {
                  for (int i = 0; i < 500; i++) {
                    history.submitted(HistoryEvent.ACCEPTED, id, null, 0, i);
                  }
                  return null;
                });
        writers.add(writer);
        new Thread(writer, "writer-" + t).start();
      }
      for (FutureTask<Void> writer : writers) {
        writer.get();
      }
    }
    List<String> lines = Files.readAllLines(file);
    assertThat(lines).hasSize(2_000);
    for (String line : lines) {
      assertThat(mapper.readTree(line).get("id").asText()).hasSize(201);
    }
  }

  @Test
  void aFileThatCannotBeWrittenIsNamed(@TempDir Path folder) {
    Path file = folder.resolve("no-such-folder").resolve("h");
    assertThatExceptionOfType(SluiceException.class)
        .isThrownBy(() -> HistoryWriter.ofProducer(file, clock))
        .withMessageContaining(file.toString())
        .withMessageContaining("--history");
  }
}
