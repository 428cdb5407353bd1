// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.delay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testing.Seeds;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class DelayWheelTest {
  private static final long YEAR = Duration.ofDays(365).toMillis();

  @Test
  void eachLevelIsAtMostTwiceTheOneBelowIt() {
    for (int level = 1; level < DelayLevels.count(); level++) {
      assertThat(DelayLevels.millis(level))
          .isGreaterThan(DelayLevels.millis(level - 1))
          .isLessThanOrEqualTo(2 * DelayLevels.millis(level - 1));
    }
  }

  @Test
  void aLevelIsOverBeforeTheDelayIs() {
    assertThat(DelayLevels.of(0)).isZero();
    assertThat(DelayLevels.of(124)).isZero();
    assertThat(DelayLevels.name(DelayLevels.of(90_000))).isEqualTo("1m");
    assertThat(DelayLevels.name(DelayLevels.of(60_000))).isEqualTo("1m");
    assertThat(DelayLevels.name(DelayLevels.of(59_999))).isEqualTo("30s");
    assertThat(DelayLevels.name(DelayLevels.of(YEAR))).isEqualTo("16d");
  }

  @Test
  void hopsAreBounded() {
    assertThat(DelayLevels.hopsMax(0)).isZero();
    assertThat(DelayLevels.hopsMax(100)).isEqualTo(1);
    assertThat(DelayLevels.hopsMax(Duration.ofDays(30).toMillis())).isEqualTo(26);
    assertThat(DelayLevels.hopsMax(YEAR)).isEqualTo(47);
  }

  /** Each record with what became of it. */
  private static final class Wandering {
    final long due;
    final int hopsMax;
    int hops;

    Wandering(long due, long now) {
      this.due = due;
      this.hopsMax = DelayLevels.hopsMax(due - now);
    }
  }

  /**
   * A server with the wheel before logs of the levels, under virtual time: nothing comes out early,
   * nothing later than the shortest level after it is due, nothing with more hops than promised.
   */
  @Test
  void whatIsDueComesOutInTimeHoweverLongItWaits() {
    Seeds.each(20, DelayWheelTest::wander);
  }

  private static void wander(RandomGenerator random) {
    Map<Integer, Deque<DelayWheel.Entry<Wandering>>> logs = new HashMap<>();
    DelayWheel<Wandering> wheel = new DelayWheel<>(50, 20_000);
    boolean[] reading = new boolean[DelayLevels.count()];
    long[] offsets = new long[DelayLevels.count()];
    long now = 1_000_000;
    int out = 0;
    int total = 400;
    long longest = random.nextBoolean() ? 20_000 : Duration.ofDays(60).toMillis();
    for (int i = 0; i < total; i++) {
      enter(new Wandering(now + 1 + random.nextLong(longest), now), now, logs, offsets);
    }
    while (out < total) {
      for (int level = 0; level < DelayLevels.count(); level++) {
        Deque<DelayWheel.Entry<Wandering>> log =
            logs.computeIfAbsent(level, l -> new ArrayDeque<>());
        reading[level] = wheel.wants(level, reading[level]);
        while (!log.isEmpty() && wheel.wants(level, reading[level])) {
          wheel.add(log.removeFirst());
        }
      }
      now = Math.max(now, wheel.nextMillis());
      List<DelayWheel.Entry<Wandering>> taken = wheel.take(now, 1_000);
      assertThat(taken).isNotEmpty();
      for (DelayWheel.Entry<Wandering> entry : taken) {
        Wandering each = entry.item();
        if (each.due > now) {
          enter(each, now, logs, offsets);
          continue;
        }
        out++;
        assertThat(now - each.due).as("lateness").isLessThanOrEqualTo(DelayLevels.millis(0));
        assertThat(each.hops).as("hops").isLessThanOrEqualTo(each.hopsMax);
      }
    }
    assertThat(wheel.size()).isZero();
    assertThat(wheel.nextMillis()).isEqualTo(Long.MAX_VALUE);
  }

  private static void enter(
      Wandering each,
      long now,
      Map<Integer, Deque<DelayWheel.Entry<Wandering>>> logs,
      long[] offsets) {
    each.hops++;
    int level = DelayLevels.of(each.due - now);
    logs.computeIfAbsent(level, l -> new ArrayDeque<>())
        .addLast(new DelayWheel.Entry<>(level, offsets[level]++, now, each.due, 100, each));
  }

  @Test
  void holdsABoundedFrontAndReadsOnAtHalfOfIt() {
    DelayWheel<String> wheel = new DelayWheel<>(4, 1_000);
    for (int i = 0; i < 4; i++) {
      assertThat(wheel.wants(3, true)).isTrue();
      wheel.add(new DelayWheel.Entry<>(3, i, i, 10_000, 10, "t" + i));
    }
    assertThat(wheel.wants(3, true)).isFalse();
    assertThat(wheel.wants(2, true)).isTrue();
    assertThat(names(wheel.take(1_001, 10))).containsExactly("t0", "t1");
    assertThat(wheel.wants(3, false)).isFalse();
    assertThat(names(wheel.take(1_002, 10))).containsExactly("t2");
    assertThat(wheel.wants(3, false)).isTrue();
    wheel.add(new DelayWheel.Entry<>(3, 4, 4, 10_000, 990, "large"));
    assertThat(wheel.wants(3, true)).isFalse();
    wheel.clear();
    assertThat(wheel.wants(3, true)).isTrue();
  }

  @Test
  void noLevelKeepsTheOthersWaiting() {
    DelayWheel<String> wheel = new DelayWheel<>(100, 1_000_000);
    for (int i = 0; i < 10; i++) {
      wheel.add(new DelayWheel.Entry<>(0, i, 0, 0, 10, "short"));
      wheel.add(new DelayWheel.Entry<>(5, i, 0, 0, 10, "long"));
    }
    assertThat(names(wheel.take(1, 10))).containsOnly("short");
    assertThat(names(wheel.take(1, 10))).containsOnly("long");
  }

  private static List<String> names(List<DelayWheel.Entry<String>> entries) {
    List<String> names = new ArrayList<>();
    entries.forEach(entry -> names.add(entry.item()));
    return names;
  }
}
