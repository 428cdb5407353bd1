// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testing.Seeds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FleetJudgeTest {
  private static final long MILLI = 1_000_000;

  @TempDir Path folder;

  private Path history(String name, String... lines) throws IOException {
    return Files.writeString(folder.resolve(name), String.join("", lines));
  }

  private static String line(String event, int id, long mono) {
    return "{\"event\":\""
        + event
        + "\",\"id\":\"t"
        + id
        + "\",\"key\":null,\"queue\":\"q\",\"partition\":0,\"offset\":"
        + id
        + ",\"attempt\":1,\"worker\":\"w\",\"incarnation\":\"i\",\"at\":1,\"mono\":"
        + mono
        + "}\n";
  }

  @Test
  void aBurstAndThenTheRateIsExactlyWhatIsAllowed() throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      lines.add(line("start", i, 0));
    }
    for (int i = 0; i < 10; i++) {
      lines.add(line("start", 5 + i, (i + 1) * 100 * MILLI)); // 10 per second
    }
    Path file = history("a", lines.toArray(String[]::new));
    FleetFigures kept = FleetJudge.judge(List.of(file), new FleetLimits(10, 5, 0), List.of());
    assertThat(kept.violations()).isEmpty();
    assertThat(kept.mostIn100Millis()).isEqualTo(6);
    FleetFigures broken = FleetJudge.judge(List.of(file), new FleetLimits(10, 4, 0), List.of());
    assertThat(broken.violations()).hasSize(1);
    assertThat(broken.startsOver()).isBetween(0.9, 1.1);
  }

  @Test
  void tasksOfSeveralWorkersRunAtOnceUntilTheyEndOrAreKilled() throws IOException {
    Path a = history("a", line("start", 1, 10), line("start", 2, 20), line("done", 1, 30));
    Path b = history("b", line("start", 3, 25), line("done", 3, 40));
    assertThat(FleetJudge.judge(List.of(a, b), new FleetLimits(0, 0, 2), List.of()).violations())
        .containsExactly("S4: 3 tasks ran at once where 2 may");
    Path c = history("c", line("start", 4, 35), line("done", 4, 60));
    assertThat(FleetJudge.judge(List.of(a, c), FleetLimits.NONE, List.of()).maxConcurrent())
        .as("the last line of a is at 30")
        .isEqualTo(2);
    assertThat(
            FleetJudge.judge(
                    List.of(c, history("d", line("start", 5, 1), line("start", 6, 2))),
                    FleetLimits.NONE,
                    List.of(Disturbance.kill("i", 50)))
                .maxConcurrent())
        .as("both of d run until it was killed")
        .isEqualTo(3);
  }

  @Test
  void theWorstWindowIsTheOneThatTryingAllFinds() {
    Seeds.each(
        200,
        random -> {
          List<Long> at = new ArrayList<>();
          int count = 1 + random.nextInt(30);
          for (int i = 0; i < count; i++) {
            at.add((long) random.nextInt(2_000) * MILLI);
          }
          Collections.sort(at);
          double rate = 1 + random.nextInt(30);
          long burst = 1 + random.nextInt(5);
          double worst = Double.NEGATIVE_INFINITY;
          for (int i = 0; i < count; i++) {
            for (int j = i; j < count; j++) {
              double allowed = burst + 1.02 * rate * (at.get(j) - at.get(i)) / 1e9;
              worst = Math.max(worst, j - i + 1 - allowed);
            }
          }
          List<String> lines = new ArrayList<>();
          for (int i = 0; i < count; i++) {
            lines.add(line("start", i, at.get(i)));
          }
          Path file = history("r", lines.toArray(String[]::new));
          FleetFigures figures =
              FleetJudge.judge(List.of(file), new FleetLimits(rate, burst, 0), List.of());
          assertThat(figures.startsOver())
              .isCloseTo(worst, org.assertj.core.api.Assertions.within(1e-6));
        });
  }
}
