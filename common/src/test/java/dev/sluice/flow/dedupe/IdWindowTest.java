// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.dedupe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testing.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class IdWindowTest {
  private static final long WINDOW = 1_000;

  private record Seen(long id, long at) {}

  @Test
  void aSecondTaskWithinTheWindowIsADuplicateAndBeginsItAnew() {
    IdWindow window = new IdWindow(WINDOW, 100);
    assertThat(window.add(1, 1, 0)).isFalse();
    assertThat(window.add(1, 2, 1)).as("half of it is the same").isFalse();
    assertThat(window.add(1, 1, 999)).isTrue();
    assertThat(window.add(1, 1, 1_998)).as("999 ms after the second").isTrue();
    assertThat(window.add(1, 1, 2_998)).as("1,000 ms after the third").isFalse();
  }

  @Test
  void whatIsTooMuchShortensTheWindowAndIsCounted() {
    IdWindow window = new IdWindow(WINDOW, 10);
    for (int i = 0; i < 10; i++) {
      assertThat(window.add(i, i, i)).isFalse();
    }
    assertThat(window.forgottenEarly()).isZero();
    assertThat(window.coveredMillis()).isEqualTo(Long.MAX_VALUE);
    assertThat(window.add(10, 10, 10)).isFalse();
    assertThat(window.add(0, 0, 11)).as("forgotten for the last one").isFalse();
    assertThat(window.add(3, 3, 12)).isTrue();
    assertThat(window.size()).isEqualTo(10);
    assertThat(window.forgottenEarly()).isEqualTo(3);
    assertThat(window.coveredMillis()).isEqualTo(10);
  }

  /** Against a list that is searched from its end, with ids that crowd in few slots. */
  @Test
  void itAnswersAsTheLogDoes() {
    Seeds.each(
        50,
        random -> {
          int most = 1 + random.nextInt(3_000);
          IdWindow window = new IdWindow(WINDOW, most);
          List<Seen> log = new ArrayList<>();
          long now = 0;
          long ids = 1 + random.nextInt(4_000);
          for (int i = 0; i < 10_000; i++) {
            now += random.nextInt(5) == 0 ? random.nextInt(20) : 0;
            long id = random.nextLong(ids);
            boolean expected = inLog(log, id, now, most);
            log.add(new Seen(id, now));
            assertThat(window.add(crowded(id), id, now))
                .as("task %d, at %d", i, now)
                .isEqualTo(expected);
            assertThat(window.size()).isLessThanOrEqualTo(most);
          }
        });
  }

  private static boolean inLog(List<Seen> log, long id, long now, int most) {
    int from = Math.max(0, log.size() - most + 1);
    for (int i = log.size() - 1; i >= from; i--) {
      if (log.get(i).id() == id) {
        return now - log.get(i).at() < WINDOW;
      }
    }
    return false;
  }

  private static long crowded(long id) {
    return id % 97 == 0 ? 5 : id * 31;
  }

  @Test
  void aTimeThatGoesBackCountsAsTheLatest() {
    IdWindow window = new IdWindow(WINDOW, 100);
    assertThat(window.add(1, 1, 5_000)).isFalse();
    assertThat(window.add(2, 2, 3_000)).isFalse();
    assertThat(window.add(2, 2, 5_999)).isTrue();
    assertThat(window.add(1, 1, 6_000)).isFalse();
  }

  /** Whoever begins one window before a task answers as who has read everything. */
  @Test
  void aLaterReaderAgrees() {
    Seeds.each(
        50,
        random -> {
          List<Seen> log = log(random);
          int begin = log.size() / 2 + random.nextInt(log.size() / 4);
          IdWindow all = new IdWindow(WINDOW, 100_000);
          IdWindow late = new IdWindow(WINDOW, 100_000);
          long from = log.get(begin).at() - WINDOW;
          for (int i = 0; i < log.size(); i++) {
            Seen task = log.get(i);
            boolean answer = all.add(task.id(), task.id(), task.at());
            if (task.at() >= from) {
              boolean lateAnswer = late.add(task.id(), task.id(), task.at());
              if (i >= begin) {
                assertThat(lateAnswer).isEqualTo(answer);
              }
            }
          }
        });
  }

  private static List<Seen> log(RandomGenerator random) {
    List<Seen> log = new ArrayList<>();
    long now = 0;
    for (int i = 0; i < 4_000; i++) {
      now += random.nextInt(4);
      log.add(new Seen(random.nextLong(500), now));
    }
    return log;
  }
}
