// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.delay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.delay.ShardWatch.Beat;
import dev.sluice.testing.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class ShardWatchTest {
  private static final long MILLI = 1_000_000;
  private static final long BEAT = 75 * MILLI;

  /** A process, as the service runs it. */
  private static final class Process {
    final String name;
    final ShardWatch watch;
    final List<Integer> serves = new ArrayList<>();
    long nextBeat;
    int offered = -1;
    long offeredUntil;

    Process(String name, int shards, SplittableRandom random, long now) {
      this.name = name;
      this.watch = new ShardWatch(name, shards, random, now);
    }
  }

  /** Several processes, of which some die: each shard is soon served again, and they are spread. */
  @Test
  void everyShardIsServedSoonAfterADeathAndTheyAreSpread() {
    Seeds.each(30, ShardWatchTest::dieAndJoin);
  }

  private static void dieAndJoin(RandomGenerator random) {
    int shards = 1 + random.nextInt(6);
    List<Process> living = new ArrayList<>();
    long now = 0;
    for (int i = 0; i < 3; i++) {
      living.add(new Process("p" + i, shards, new SplittableRandom(random.nextLong()), now));
    }
    now = run(living, shards, now, 40_000);
    assertThat(served(living)).hasSize(shards).doesNotHaveDuplicates();
    assertSpread(living, shards);
    for (int death = 0; death < 4; death++) {
      living.remove(random.nextInt(living.size()));
      now = run(living, shards, now, 900);
      assertThat(served(living)).as("after a death").hasSize(shards).doesNotHaveDuplicates();
      living.add(new Process("new-" + death, shards, new SplittableRandom(random.nextLong()), now));
      now = run(living, shards, now, 5_000 + random.nextInt(20_000));
    }
    now = run(living, shards, now, 60_000);
    assertSpread(living, shards);
  }

  private static void assertSpread(List<Process> living, int shards) {
    int part = (shards + living.size() - 1) / living.size();
    living.forEach(process -> assertThat(process.serves).hasSizeLessThanOrEqualTo(part));
  }

  private static List<Integer> served(List<Process> living) {
    List<Integer> all = new ArrayList<>();
    living.forEach(process -> all.addAll(process.serves));
    return all;
  }

  private static long run(List<Process> living, int shards, long from, long millis) {
    long now = from;
    for (; now < from + millis * MILLI; now += 5 * MILLI) {
      for (Process process : living) {
        int surplus = process.watch.surplus(now);
        if (surplus >= 0) {
          process.offered = surplus;
          process.offeredUntil = now + ShardWatch.OFFER_NANOS;
          long number = process.watch.nextNumber();
          tell(living, process, new Beat(process.name, number, 0, List.of(surplus)), now);
          process.nextBeat = now;
        }
        for (int shard = 0; shard < shards; shard++) {
          if (process.watch.shouldStand(shard)) {
            take(living, process, shard, now);
          }
        }
        if (process.watch.shouldProbe(now)) {
          process.watch.probes(now);
          process.nextBeat = now;
        }
        if (process.nextBeat <= now) {
          long interval = process.serves.isEmpty() ? 5_000 * MILLI : BEAT;
          process.nextBeat = now + interval;
          tell(living, process, beat(process, interval, now), now);
        }
      }
    }
    return now;
  }

  private static Beat beat(Process process, long interval, long now) {
    List<Integer> said = new ArrayList<>(process.serves);
    if (now < process.offeredUntil) {
      said.remove(Integer.valueOf(process.offered));
    }
    return new Beat(process.name, process.watch.nextNumber(), interval, said);
  }

  /** Whoever takes a shard fences the one before, as the brokers do. */
  private static void take(List<Process> living, Process process, int shard, long now) {
    for (Process other : living) {
      if (other.serves.remove(Integer.valueOf(shard))) {
        other.watch.lost(shard, 1_500 * MILLI, now);
      }
    }
    process.watch.leads(shard, now);
    process.serves.add(shard);
    process.nextBeat = now;
  }

  private static void tell(List<Process> living, Process from, Beat beat, long now) {
    for (Process other : living) {
      assertThat(other.watch.heard(beat, now)).as("shards that two serve").isEmpty();
    }
    assertThat(from.watch.heard(beat, now)).isEmpty();
  }

  @Test
  void twoThatServeTheSameShardFindOut() {
    ShardWatch watch = new ShardWatch("a", 2, new SplittableRandom(1), 0);
    watch.leads(1, 0);
    assertThat(watch.heard(new Beat("b", 1, BEAT, List.of(0, 1)), 1)).containsExactly(1);
    assertThat(watch.heard(new Beat("b", 2, BEAT, List.of(-1, 7)), 1)).isEmpty();
  }

  @Test
  void aShardThatIsGivenUpIsTakenAtOnce() {
    ShardWatch watch = new ShardWatch("a", 1, new SplittableRandom(1), 0);
    assertThat(watch.heard(new Beat("b", 1, 1_000 * MILLI, List.of(0)), 10 * MILLI)).isEmpty();
    assertThat(watch.shouldProbe(2_000 * MILLI)).isFalse();
    assertThat(watch.heard(new Beat("b", 2, 0, List.of(0)), 2_000 * MILLI)).isEmpty();
    assertThat(watch.nextNanos(2_000 * MILLI)).isLessThan(100 * MILLI);
    assertThat(watch.shouldProbe(2_100 * MILLI)).isTrue();
    watch.probes(2_100 * MILLI);
    assertThat(watch.shouldStand(0)).isFalse();
    assertThat(watch.heard(new Beat("a", 1, BEAT, List.of()), 2_105 * MILLI)).isEmpty();
    assertThat(watch.shouldStand(0)).isTrue();
  }

  @Test
  void whoDoesNotHearItselfDoesNotStand() {
    ShardWatch watch = new ShardWatch("a", 1, new SplittableRandom(1), 0);
    watch.probes(10_000 * MILLI);
    assertThat(watch.shouldProbe(10_400 * MILLI)).isFalse();
    assertThat(watch.shouldProbe(10_600 * MILLI)).isTrue();
    assertThat(watch.shouldStand(0)).isFalse();
    // What it reads first shows that somebody else serves the shard.
    assertThat(watch.heard(new Beat("b", 7, BEAT, List.of(0)), 10_700 * MILLI)).isEmpty();
    assertThat(watch.heard(new Beat("a", 1, BEAT, List.of()), 10_700 * MILLI)).isEmpty();
    assertThat(watch.shouldStand(0)).isFalse();
  }
}
