// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.delay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.ledger.DoneRanges;
import dev.sluice.flow.ledger.LedgerCodec;
import dev.sluice.flow.ledger.LedgerSnapshot;
import dev.sluice.testing.Seeds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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

  /** Each task with what became of it. */
  private static final class Wandering {
    final long due;
    final int hopsMax;
    int hops;
    boolean out;

    Wandering(long due, long now) {
      this.due = due;
      this.hopsMax = DelayLevels.hopsMax(due - now);
    }
  }

  /** A record of a level's log; an offset without one is a marker of a transaction. */
  private record Waiting(long offset, long entered, Wandering task) {}

  /** The log of a level, what is committed of it, and how far it is read. */
  private static final class Log {
    final List<Waiting> records = new ArrayList<>();
    long end;
    LedgerSnapshot committed = new LedgerSnapshot(0, "", 0, true);
    int read;
    boolean reading;

    void append(Wandering task, long now) {
      records.add(new Waiting(end++, now, task));
    }

    /** As a server does that takes it over. */
    void resume(DelayWheel<Wandering> wheel, int level) {
      long position = committed.position();
      wheel.resume(
          level, position, LedgerCodec.decode(position, committed.metadata()).orElseThrow());
      read = 0;
      while (read < records.size() && records.get(read).offset() < position) {
        read++;
      }
      reading = true;
    }
  }

  /**
   * A server with the wheel before logs of the levels, under virtual time, that dies or whose
   * transactions fail now and then: each task comes out once, nothing early, nothing later than the
   * shortest level after it is due, and where there is room to hold all that is due soon, at once;
   * nothing with more hops than promised.
   */
  @Test
  void whatIsDueComesOutInTimeHoweverLongItWaits() {
    Seeds.each(20, random -> wander(random, 400, false));
  }

  /** More than can be held, or nobody may pass: they go through the short levels. */
  @Test
  void whatFindsNoRoomComesOutInOrderOfTheLevels() {
    Seeds.each(5, random -> wander(random, 20_000, false));
    Seeds.each(5, random -> wander(random, 400, true));
  }

  private static void wander(RandomGenerator random, int total, boolean keepOrder) {
    List<Log> logs = new ArrayList<>();
    for (int i = 0; i < DelayLevels.count(); i++) {
      logs.add(new Log());
    }
    DelayWheel<Wandering> wheel = wheel(keepOrder);
    long now = 1_000_000;
    long longest = random.nextBoolean() ? 20_000 : Duration.ofDays(60).toMillis();
    long most = total > 1_000 ? 2_000 : longest;
    for (int i = 0; i < total; i++) {
      Wandering each = new Wandering(now + 1 + random.nextLong(most), now);
      enter(each, now, logs);
    }
    int out = 0;
    int metadata = 0;
    for (int level = 0; level < logs.size(); level++) {
      logs.get(level).resume(wheel, level);
    }
    while (out < total) {
      if (random.nextInt(40) == 0) {
        wheel = wheel(keepOrder);
        for (int level = 0; level < logs.size(); level++) {
          logs.get(level).resume(wheel, level);
        }
      }
      do {
        wheel.nextMillis(now);
      } while (read(wheel, logs));
      now = Math.max(now, wheel.nextMillis(now));
      List<DelayWheel.Entry<Wandering>> taken = wheel.take(now, 1_000);
      if (random.nextInt(20) == 0) { // the transaction fails
        wheel.clear();
        for (int level = 0; level < logs.size(); level++) {
          logs.get(level).resume(wheel, level);
        }
        continue;
      }
      for (DelayWheel.Entry<Wandering> entry : taken) {
        Wandering each = entry.item();
        Log log = logs.get(entry.level());
        log.committed = wheel.served(entry.level());
        metadata = Math.max(metadata, log.committed.metadata().length());
        if (each.due > now) {
          enter(each, now, logs);
          continue;
        }
        assertThat(each.out).as("came out before").isFalse();
        each.out = true;
        out++;
        long lateness = total > 1_000 || keepOrder ? DelayLevels.millis(0) : 0;
        assertThat(now - each.due).as("lateness").isLessThanOrEqualTo(lateness);
        assertThat(each.hops).as("hops").isLessThanOrEqualTo(each.hopsMax);
      }
      logs.forEach(log -> log.end++); // the marker
    }
    assertThat(wheel.size()).isZero();
    assertThat(wheel.nextMillis(now)).isEqualTo(Long.MAX_VALUE);
    assertThat(metadata).isLessThanOrEqualTo(keepOrder ? 0 : DelayWheel.METADATA_MAX);
  }

  private static DelayWheel<Wandering> wheel(boolean keepOrder) {
    DelayWheel<Wandering> wheel = new DelayWheel<>(50, 20_000);
    if (keepOrder) {
      wheel.keepOrder();
    }
    return wheel;
  }

  private static boolean read(DelayWheel<Wandering> wheel, List<Log> logs) {
    boolean more = false;
    for (int level = 0; level < logs.size(); level++) {
      Log log = logs.get(level);
      log.reading = wheel.wants(level, log.reading);
      while (log.read < log.records.size() && wheel.wants(level, log.reading)) {
        Waiting next = log.records.get(log.read++);
        long due = next.task().due;
        wheel.add(
            new DelayWheel.Entry<>(level, next.offset(), next.entered(), due, 100, next.task()));
        more = true;
      }
    }
    return more;
  }

  private static void enter(Wandering each, long now, List<Log> logs) {
    each.hops++;
    logs.get(DelayLevels.of(each.due - now)).append(each, now);
  }

  /** Beside many that go the long way, those that are due soon wait here. */
  @Test
  void whatIsDueSoonIsHeldAndWhatGoesOnIsGathered() {
    DelayWheel<String> wheel = new DelayWheel<>(10, 1_000);
    wheel.add(new DelayWheel.Entry<>(5, 0, 0, 4_900, 10, "soon"));
    wheel.add(new DelayWheel.Entry<>(5, 1, 1, 7_000, 10, "on"));
    wheel.add(new DelayWheel.Entry<>(5, 2, 2, 4_500, 10, "sooner"));
    assertThat(wheel.nextMillis(1_000)).isEqualTo(4_000);
    assertThat(wheel.take(4_000, 10)).isEmpty();
    assertThat(wheel.take(4_002, 10)).isEmpty();
    assertThat(wheel.nextMillis(4_002)).isEqualTo(4_202);
    assertThat(names(wheel.take(4_202, 10))).containsExactly("on");
    assertThat(wheel.served(5).position()).isZero();
    assertThat(names(wheel.take(4_600, 10))).containsExactly("sooner");
    LedgerSnapshot served = wheel.served(5);
    assertThat(served.position()).isZero();
    DoneRanges done = LedgerCodec.decode(0, served.metadata()).orElseThrow();
    assertThat(done.contains(1) && done.contains(2)).isTrue();

    DelayWheel<String> next = new DelayWheel<>(10, 1_000);
    next.add(new DelayWheel.Entry<>(5, 0, 0, 4_900, 10, "soon"));
    next.add(new DelayWheel.Entry<>(5, 1, 1, 7_000, 10, "on"));
    next.resume(5, 0, done);
    next.add(new DelayWheel.Entry<>(5, 2, 2, 4_500, 10, "sooner"));
    next.add(new DelayWheel.Entry<>(5, 3, 3, 9_500, 10, "last"));
    assertThat(next.size()).isEqualTo(2);
    assertThat(names(next.take(4_900, 10))).containsExactly("soon", "last");
    assertThat(next.served(5).position()).isEqualTo(4);
    assertThat(next.served(5).metadata()).isEmpty();
  }

  @Test
  void holdsABoundedFrontAndReadsOnAtHalfOfIt() {
    DelayWheel<String> wheel = new DelayWheel<>(4, 1_000);
    wheel.keepOrder();
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
