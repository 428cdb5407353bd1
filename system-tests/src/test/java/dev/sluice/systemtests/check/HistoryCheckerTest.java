// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.Order;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HistoryCheckerTest {
  @TempDir Path folder;

  private Report byKey(String transcript) {
    return new Transcript(transcript).check(folder, Order.KEY);
  }

  private static void assertBroken(Report report, Rule rule) {
    assertThat(report.ok()).isFalse();
    assertThat(report.violations()).anyMatch(text -> text.startsWith(rule + ": "));
  }

  private static void assertOnly(Report report, Rule rule) {
    assertBroken(report, rule);
    assertThat(report.violations()).allMatch(text -> text.startsWith(rule + ": "));
  }

  // ---- S1 ----

  @Test
  void acceptsTasksThatRunOnceInOrder() {
    Report report =
        byKey(
            """
            p accepted 0/0 a
            p accepted 0/1 b
            p accepted 0/2 a
            w start 0/0 a
            w start 0/1 b
            w done 0/0 a
            w start 0/2 a
            w done 0/1 b
            w dead 0/2 a
            """);

    assertThat(report.violations()).isEmpty();
    assertThat(report.ok()).isTrue();
    assertThat(report.accepted()).isEqualTo(3);
    assertThat(report.done()).isEqualTo(2);
    assertThat(report.dead()).isEqualTo(1);
  }

  @Test
  void reportsAnAcceptedTaskThatNeverRan() {
    Report report = byKey("p accepted 0/0 a\nw start 0/1 b\nw done 0/1 b\n");

    assertOnly(report, Rule.LOST);
    assertThat(report.lost()).isEqualTo(1);
    assertThat(report.violations().get(0)).contains("0/0").contains("no run");
  }

  @Test
  void reportsAnAcceptedTaskThatOnlyFailed() {
    assertOnly(byKey("p accepted 0/0 a\nw start 0/0 a\nw failed 0/0 a x\n"), Rule.LOST);
  }

  @Test
  void reportsARejectedTaskThatStarted() {
    assertOnly(byKey("p rejected 0/0 a\nw start 0/0 a\nw done 0/0 a\n"), Rule.REJECTED_BUT_STARTED);
  }

  @Test
  void allowsATaskThatWasAcceptedAfterARefusal() {
    assertThat(
            byKey(
                    """
                    p rejected 0/0 a
                    p accepted 0/0 a
                    w start 0/0 a
                    w done 0/0 a
                    """)
                .ok())
        .isTrue();
  }

  @Test
  void allowsAnUnknownTaskToRunOrNot() {
    assertThat(byKey("p unknown 0/0 a\np unknown 0/1 a\nw start 0/0 a\nw done 0/0 a\n").ok())
        .isTrue();
  }

  @Test
  void takesExpiredAndCancelledTasksAsEnded() {
    Report report =
        byKey(
            """
            p accepted 0/0 a
            p accepted 0/1 a
            p accepted 0/2 a
            w expired 0/0 a
            w cancelled 0/1 a
            w start 0/2 a
            w done 0/2 a
            """);

    assertThat(report.violations()).isEmpty();
  }

  @Test
  void reportsACompletionThatNeverStarted() {
    assertOnly(byKey("w done 0/0 a\n"), Rule.ENDED_WITHOUT_START);
  }

  // ---- S2 ----

  @Test
  void countsWhatRunsAgainAfterAKillWithinTheBound() {
    Report report =
        new Transcript(
                """
                w1 start 0/5 a
                w1 done 0/5 a
                w1 start 0/6 a
                w1 done 0/6 a
                w1 start 0/7 a
                w1 kill
                w2 start 0/6 a
                w2 done 0/6 a
                w2 start 0/7 a
                w2 done 0/7 a
                """)
            .check(folder, Order.KEY, Duration.ofMillis(3));

    assertThat(report.violations()).isEmpty();
    assertThat(report.duplicates().duplicates()).isEqualTo(2);
    DisturbanceFigures kill = report.duplicates().disturbances().get(0);
    assertThat(kill.inFlight()).isEqualTo(1);
    assertThat(kill.completedInWindow()).isEqualTo(1);
    assertThat(kill.bound()).isEqualTo(2);
  }

  @Test
  void reportsMoreDuplicatesThanWereInFlightOrUncommitted() {
    Report report =
        new Transcript(
                """
                w1 start 0/5 a
                w1 done 0/5 a
                w1 start 0/6 a
                w1 done 0/6 a
                w1 start 0/7 a
                w1 kill
                w2 start 0/5 a
                w2 done 0/5 a
                w2 start 0/6 a
                w2 done 0/6 a
                w2 start 0/7 a
                w2 done 0/7 a
                """)
            .check(folder, Order.KEY, Duration.ofMillis(2));

    assertOnly(report, Rule.DUPLICATES_OVER_BOUND);
  }

  @Test
  void reportsATaskThatRanAgainForNoReason() {
    Report report = byKey("w1 start 0/0 a\nw1 done 0/0 a\nw2 start 0/0 a\nw2 done 0/0 a\n");

    assertOnly(report, Rule.UNEXPLAINED_DUPLICATES);
    assertThat(report.duplicates().unexplained()).isEqualTo(1);
  }

  @Test
  void allowsAsManyUnexplainedDuplicatesAsItIsTold() {
    Report report =
        new Transcript("w1 start 0/0 a\nw1 done 0/0 a\nw2 start 0/0 a\nw2 done 0/0 a\n")
            .check(
                folder, CheckOptions.undisturbed(Order.KEY).allowingUnexplained(1), Duration.ZERO);

    assertThat(report.ok()).isTrue();
    assertThat(report.duplicates().duplicates()).isEqualTo(1);
  }

  @Test
  void takesRetriesAndInterruptedAttemptsForNoDuplicates() {
    Report report =
        byKey(
            """
            w1 start 0/0 a
            w1 failed 0/0 a x
            w1 start 0/0 a
            w1 failed 0/0 a INTERRUPTED
            w2 start 0/0 a
            w2 done 0/0 a
            """);

    assertThat(report.ok()).isTrue();
    assertThat(report.duplicates().duplicates()).isZero();
    assertThat(report.duplicates().retries()).isEqualTo(1);
    assertThat(report.duplicates().interrupted()).isEqualTo(1);
  }

  // ---- files ----

  @Test
  void toleratesATornLastLine() throws Exception {
    Path file = history("w start 0/0 a", "w done 0/0 a");
    Files.writeString(file, Files.readString(file) + "{\"event\":\"start\",\"id\":");

    Report report =
        new HistoryChecker(CheckOptions.undisturbed(Order.KEY)).check(List.of(), List.of(file));

    assertThat(report.ok()).isTrue();
    assertThat(report.tornLines()).isEqualTo(1);
  }

  @Test
  void refusesATornLineInTheMiddle() throws Exception {
    Path file = history("w start 0/0 a", "w done 0/0 a");
    Files.writeString(file, "{\"event\":\"start\",\"id\":\n" + Files.readString(file));

    assertThatThrownBy(
            () ->
                new HistoryChecker(CheckOptions.undisturbed(Order.KEY))
                    .check(List.of(), List.of(file)))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("Line 1")
        .hasMessageContaining(file.toString());
  }

  @Test
  void refusesALineOfAnotherKindOfProcess() throws Exception {
    Path file = history("w start 0/0 a");

    assertThatThrownBy(
            () ->
                new HistoryChecker(CheckOptions.undisturbed(Order.KEY))
                    .check(List.of(file), List.of()))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("'start'");
  }

  @Test
  void refusesTwoQueuesUnlessToldWhichToJudge() throws Exception {
    Path file = history("w start 0/0 a", "w done 0/0 a");
    Files.writeString(
        file, Files.readString(file) + Files.readString(file).replace("\"q\"", "\"other\""));

    assertThatThrownBy(
            () ->
                new HistoryChecker(CheckOptions.undisturbed(Order.KEY))
                    .check(List.of(), List.of(file)))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("other");
    assertThat(
            new HistoryChecker(new CheckOptions(Order.KEY, "other", Duration.ZERO, List.of(), 0))
                .check(List.of(), List.of(file))
                .ok())
        .isTrue();
  }

  private Path history(String... events) throws Exception {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < events.length; i++) {
      text.append(Transcript.json(events[i].split(" "), i + 1)).append('\n');
    }
    return Files.writeString(folder.resolve("w.jsonl"), text);
  }
}
