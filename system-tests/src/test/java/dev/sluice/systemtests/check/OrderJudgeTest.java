// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OrderJudgeTest {
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

  @Test
  void reportsTwoRunsOfOneKeyAtTheSameTime() {
    Report report = byKey("w start 0/0 a\nw start 0/1 a\nw done 0/0 a\nw done 0/1 a\n");

    assertBroken(report, Rule.OVERLAP);
    assertBroken(report, Rule.SWAP);
  }

  @Test
  void reportsTheSameTaskTwiceAtTheSameTime() {
    assertBroken(
        byKey("w1 start 0/0 a\nw2 start 0/0 a\nw1 done 0/0 a\nw2 done 0/0 a\n"), Rule.OVERLAP);
  }

  @Test
  void allowsDifferentKeysToOverlapAndKeylessTasksToDoAnything() {
    assertThat(
            byKey(
                    """
                    w start 0/2 -
                    w start 0/1 b
                    w start 0/0 a
                    w start 0/3 -
                    w done 0/3 -
                    w done 0/2 -
                    w done 0/1 b
                    w done 0/0 a
                    """)
                .ok())
        .isTrue();
  }

  @Test
  void reportsDifferentKeysThatOverlapWhereThePartitionIsOrdered() {
    Report report =
        new Transcript("w start 0/0 a\nw start 0/1 b\nw done 0/0 a\nw done 0/1 b\n")
            .check(folder, Order.PARTITION);

    assertBroken(report, Rule.OVERLAP);
  }

  @Test
  void promisesNothingWithoutAnOrder() {
    assertThat(
            new Transcript("w start 0/1 a\nw start 0/0 a\nw done 0/0 a\nw done 0/1 a\n")
                .check(folder, Order.NONE)
                .ok())
        .isTrue();
  }

  @Test
  void reportsATaskThatOvertookARetry() {
    Report report =
        byKey(
            """
            w start 0/0 a
            w failed 0/0 a x
            w start 0/1 a
            w done 0/1 a
            w start 0/0 a
            w done 0/0 a
            """);

    assertBroken(report, Rule.SWAP);
    assertThat(report.overlaps()).isZero();
  }

  @Test
  void reportsATaskThatOvertookOneThatNeverRan() {
    assertBroken(byKey("p accepted 0/0 a\nw start 0/1 a\nw done 0/1 a\n"), Rule.SWAP);
  }

  @Test
  void reportsAReplayThatLeavesATaskOut() {
    Report report =
        new Transcript(
                """
                w1 start 0/5 a
                w1 done 0/5 a
                w1 start 0/6 a
                w1 done 0/6 a
                w1 start 0/7 a
                w1 done 0/7 a
                w1 kill
                w2 start 0/5 a
                w2 done 0/5 a
                w2 start 0/7 a
                w2 done 0/7 a
                """)
            .check(folder, Order.KEY, Duration.ofMillis(10));

    assertOnly(report, Rule.SWAP);
    assertThat(report.violations().get(0)).contains("left out offset 6");
  }

  @Test
  void reportsAReplayWithoutANewAssignment() {
    Report report =
        byKey(
            """
            w start 0/5 a
            w done 0/5 a
            w start 0/6 a
            w done 0/6 a
            w start 0/5 a
            w done 0/5 a
            w start 0/6 a
            w done 0/6 a
            """);

    assertBroken(report, Rule.SWAP);
    assertBroken(report, Rule.UNEXPLAINED_DUPLICATES);
  }

  @Test
  void allowsARunWhoseResultWasDroppedToOutlastItsAssignment() {
    Report report =
        byKey(
            """
            w1 start 0/0 a
            w2 start 0/0 a
            w1 failed 0/0 a STALE
            w2 done 0/0 a
            """);

    assertThat(report.ok()).isTrue();
    assertThat(report.fencedOverlaps()).isEqualTo(1);
    assertThat(report.duplicates().outlived()).isEqualTo(1);
  }

  @Test
  void reportsAStaleWorkerThatStartsBesideTheNewOwner() {
    Report report =
        byKey(
            """
            w2 start 0/0 a
            w1 start 0/0 a
            w1 failed 0/0 a STALE
            w2 done 0/0 a
            """);

    assertBroken(report, Rule.OVERLAP);
  }

  @Test
  void reportsAStaleRunBesideOneOfTheSameProcess() {
    assertBroken(
        byKey("w start 0/0 a\nw start 0/1 a\nw failed 0/0 a STALE\nw done 0/1 a\n"), Rule.OVERLAP);
  }

  @Test
  void allowsWhatASuspendedWorkerWasAtToEndLate() {
    Report report =
        byKey(
            """
            w1 start 0/0 a
            w1 suspend
            w2 start 0/0 a
            w1 resume
            w1 done 0/0 a
            w2 done 0/0 a
            """);

    assertThat(report.violations()).isEmpty();
    assertThat(report.fencedOverlaps()).isEqualTo(1);
    assertThat(report.duplicates().disturbances().get(0).duplicates()).isEqualTo(1);
  }

  @Test
  void reportsASuspendedWorkerThatStartsMoreAfterItWentOn() {
    Report report =
        byKey(
            """
            w1 start 0/0 a
            w1 done 0/0 a
            w1 suspend
            w2 start 0/1 a
            w1 resume
            w1 start 0/1 a
            w1 done 0/1 a
            w2 done 0/1 a
            """);

    assertBroken(report, Rule.OVERLAP);
  }
}
