// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.delay;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Which shards of the delay topics a process should serve, from the beats that it hears. Whoever
 * stands for a shard takes it from whoever had it, because the brokers fence the one before: this
 * decides only that soon somebody serves each shard, and that the shards are spread. It may be
 * wrong about who lives without any harm but a change of hands. Not thread-safe.
 */
public final class ShardWatch {
  /** So many beats in a row have to be missing. */
  private static final int BEATS_MISSED = 4;

  private static final long MILLI = 1_000_000;

  /** A word that was not heard by then is said again. */
  private static final long PROBE_NANOS = 500 * MILLI;

  private static final long JITTER_NANOS = 40 * MILLI;

  /** Longer than the longest time between two beats of who serves. */
  private static final long FIRST_NANOS = 600 * MILLI;

  /** Whoever serves some already lets others go first. */
  private static final long HANDICAP_NANOS = 50 * MILLI;

  private static final long NONE = -1;

  /** In a beat: the shards in it are to be taken, and served until they are. */
  public static final long OFFER = 0;

  /** In a beat: the shards in it are served by nobody. */
  public static final long LEAVE = -MILLI;

  /** How long an offer stands. */
  public static final long OFFER_NANOS = 2_000 * MILLI;

  private static final long SETTLED_NANOS = 10_000 * MILLI;

  private final String self;
  private final RandomGenerator random;
  private final long[] standAtNanos;
  private long takenNanos;
  private final BitSet led = new BitSet();

  /** Nobody was heard of them before this process heard itself: nobody serves them. */
  private final BitSet silent = new BitSet();

  /** Somebody serves them still and waits for another one to take them. */
  private final BitSet offered = new BitSet();

  private long numbers;
  private long probe = NONE;
  private long probedNanos;

  /** Until when each other member counts as present. */
  private final Map<String, Long> presentUntilNanos = new HashMap<>();

  /**
   * What a process says of itself.
   *
   * @param member who
   * @param number grows with each that it says
   * @param intervalNanos when it says the next one; {@link #OFFER} that it serves its shards until
   *     somebody has taken them, {@link #LEAVE} that it is gone
   * @param shards which ones it serves
   */
  public record Beat(String member, long number, long intervalNanos, List<Integer> shards) {}

  /**
   * @param self this process
   * @param shards how many there are
   */
  public ShardWatch(String self, int shards, RandomGenerator random, long nowNanos) {
    this.self = self;
    this.random = random;
    this.standAtNanos = new long[shards];
    this.takenNanos = nowNanos;
    for (int i = 0; i < shards; i++) {
      standAtNanos[i] = nowNanos + FIRST_NANOS + jitter();
    }
  }

  /**
   * Somebody said that it lives.
   *
   * @return the shards that both it and this process believe to serve
   */
  public List<Integer> heard(Beat beat, long nowNanos) {
    if (beat.member().equals(self)) {
      heardSelf(beat);
      return List.of();
    }
    if (beat.intervalNanos() <= 0) {
      presentUntilNanos.remove(beat.member());
    } else {
      presentUntilNanos.put(beat.member(), nowNanos + BEATS_MISSED * beat.intervalNanos());
    }
    List<Integer> disputed = new ArrayList<>();
    for (int shard : beat.shards()) {
      if (shard < 0 || shard >= standAtNanos.length) {
        continue;
      }
      if (led.get(shard)) {
        disputed.add(shard);
      }
      silent.clear(shard);
      offered.set(shard, beat.intervalNanos() == OFFER);
      // One that is given up is served by somebody else at once.
      long silence = Math.max(0, beat.intervalNanos()) * BEATS_MISSED;
      standAtNanos[shard] = nowNanos + silence + jitter();
    }
    return disputed;
  }

  /**
   * What was said before this process said its last word was read before it: who is silent in the
   * log is silent, and not just not heard.
   */
  private void heardSelf(Beat beat) {
    if (probe == NONE || beat.number() < probe) {
      return;
    }
    for (int shard = 0; shard < standAtNanos.length; shard++) {
      if (overdue(shard, probedNanos)) {
        silent.set(shard);
      }
    }
    probe = NONE;
  }

  private boolean overdue(int shard, long nowNanos) {
    long handicap = HANDICAP_NANOS * led.cardinality();
    return !led.get(shard) && nowNanos - standAtNanos[shard] - handicap >= 0;
  }

  /** The number of the next beat of this process. */
  public long nextNumber() {
    return ++numbers;
  }

  /** Whether to say something at once, because a shard seems to be served by nobody. */
  public boolean shouldProbe(long nowNanos) {
    boolean asked = probe != NONE && nowNanos - probedNanos < PROBE_NANOS;
    for (int shard = 0; !asked && shard < standAtNanos.length; shard++) {
      if (overdue(shard, nowNanos) && !silent.get(shard)) {
        return true;
      }
    }
    return false;
  }

  /** The next beat is said because of {@link #shouldProbe}. */
  public void probes(long nowNanos) {
    probe = numbers + 1;
    probedNanos = nowNanos;
  }

  /** Whether to take a shard, because nobody serves it. */
  public boolean shouldStand(int shard) {
    return silent.get(shard) && !led.get(shard);
  }

  /** Whether who serves a shard goes on with it until this process has taken it. */
  public boolean onOffer(int shard) {
    return offered.get(shard);
  }

  /** This process serves a shard from now on. */
  public void leads(int shard, long nowNanos) {
    led.set(shard);
    silent.clear(shard);
    offered.clear(shard);
    takenNanos = nowNanos;
  }

  /** This process no longer serves a shard, and does not stand for it for so long. */
  public void lost(int shard, long restNanos, long nowNanos) {
    led.clear(shard);
    silent.clear(shard);
    standAtNanos[shard] = nowNanos + restNanos + jitter();
  }

  /**
   * A shard to offer to others, because this process has more than its part; or -1. It goes on
   * serving it until somebody has taken it, and does not say for {@link #OFFER_NANOS} that it does.
   */
  public int surplus(long nowNanos) {
    presentUntilNanos.values().removeIf(until -> nowNanos - until > 0);
    int members = presentUntilNanos.size() + 1;
    int part = (standAtNanos.length + members - 1) / members;
    // Not soon after a change: who died a moment ago may still count as present.
    boolean settled = nowNanos - takenNanos > SETTLED_NANOS;
    if (!settled || led.cardinality() <= part) {
      return -1;
    }
    takenNanos = nowNanos; // the next one not at once
    return led.nextSetBit(0);
  }

  /** When to look again at the latest. */
  public long nextNanos(long nowNanos) {
    long next = Long.MAX_VALUE;
    long handicap = HANDICAP_NANOS * led.cardinality();
    for (int shard = 0; shard < standAtNanos.length; shard++) {
      if (probe != NONE && overdue(shard, nowNanos)) {
        next = Math.min(next, Math.max(0, probedNanos + PROBE_NANOS - nowNanos));
      } else if (!led.get(shard)) {
        next = Math.min(next, Math.max(0, standAtNanos[shard] + handicap - nowNanos));
      }
    }
    return next;
  }

  private long jitter() {
    return (long) (random.nextDouble() * JITTER_NANOS);
  }
}
