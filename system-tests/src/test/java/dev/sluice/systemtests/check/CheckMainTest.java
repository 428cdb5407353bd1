// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckMainTest {
  @TempDir Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    return CheckMain.run(args, new PrintWriter(out, true), new PrintWriter(err, true));
  }

  private String worker(String... events) throws Exception {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < events.length; i++) {
      text.append(Transcript.json(events[i].split(" "), i + 1)).append('\n');
    }
    Path file = folder.resolve("worker" + events[0].split(" ")[0] + ".jsonl");
    return Files.writeString(file, text).toString();
  }

  @Test
  void exitsWithZeroWhereEveryPromiseWasKept() throws Exception {
    assertThat(run("--worker", worker("w start 0/0 a", "w done 0/0 a"), "-o", "json")).isZero();

    JsonNode report = new ObjectMapper().readTree(out.toString());
    assertThat(report.get("ok").asBoolean()).isTrue();
    assertThat(report.get("lost").asLong()).isZero();
    assertThat(report.get("duplicates").get("duplicates").asLong()).isZero();
  }

  @Test
  void exitsWithThreeWhereAPromiseWasBroken() throws Exception {
    assertThat(run("--worker", worker("w start 0/1 a", "w start 0/0 a"))).isEqualTo(3);
    assertThat(out.toString()).contains("SWAP: ").contains("VIOLATED");
  }

  @Test
  void exitsWithOneAndTheLineWhereAFileIsDamaged() throws Exception {
    Path file = Files.writeString(folder.resolve("bad.jsonl"), "nonsense\n");

    assertThat(run("--worker", file.toString())).isEqualTo(1);
    assertThat(err.toString()).contains("Line 1").contains("bad.jsonl");
  }

  @Test
  void explainsDuplicatesByTheKillItIsTold() throws Exception {
    String killed = worker("w1 start 0/0 a");
    String next = worker("w2 start 0/0 a", "w2 done 0/0 a");
    Files.writeString(
        Path.of(next),
        Files.readString(Path.of(next))
            .replace("\"mono\":1", "\"mono\":8")
            .replace("\"mono\":2", "\"mono\":9"));

    assertThat(run("--worker", killed, next)).isEqualTo(3);
    assertThat(run("--worker", killed, next, "--kill", "w1@5")).isZero();
    assertThat(run("--worker", killed, next, "--suspension", "w1@5-7")).isZero();
  }

  @Test
  void exitsWithTwoWhereAKillHasNoTime() throws Exception {
    assertThat(run("--worker", worker("w start 0/0 a", "w done 0/0 a"), "--kill", "w1"))
        .isEqualTo(2);
    assertThat(err.toString()).contains("--kill");
  }
}
