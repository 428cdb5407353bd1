// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.subject;

import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * What a task does: {@code noop}, {@code wait:MICROS}, {@code spin:ROUNDS} (rounds of arithmetic,
 * so that another process on the same processor does not shorten the work), or {@code tagged},
 * where the first four bytes of the payload are the microseconds to wait. Thread-safe.
 */
public final class Work {
  private enum Kind {
    NOOP,
    WAIT,
    SPIN,
    TAGGED
  }

  private final LongAdder waited = new LongAdder();
  private final Kind kind;
  private final long amount;

  private Work(Kind kind, long amount) {
    this.kind = kind;
    this.amount = amount;
  }

  /** Reads it from its text. */
  public static Work of(String text) {
    String[] parts = text.split(":", 2);
    return switch (parts[0]) {
      case "noop" -> new Work(Kind.NOOP, 0);
      case "tagged" -> new Work(Kind.TAGGED, 0);
      case "wait" -> new Work(Kind.WAIT, Long.parseLong(parts[1]) * 1_000);
      case "spin" -> new Work(Kind.SPIN, Long.parseLong(parts[1]));
      default -> throw new IllegalArgumentException("Unknown work '" + text + "'");
    };
  }

  /** Does it. */
  public void run(byte[] payload) {
    switch (kind) {
      case NOOP -> {}
      case WAIT -> await(amount);
      case SPIN -> spin(amount);
      case TAGGED -> await(Bytes.getInt(payload, 0) * 1_000L);
    }
  }

  private void await(long nanos) {
    long end = System.nanoTime() + nanos;
    long rest = nanos;
    for (; rest > 0; rest = end - System.nanoTime()) {
      LockSupport.parkNanos(rest);
    }
    waited.add(nanos - rest);
  }

  /** How long all waits have taken so far, together, in nanoseconds. */
  public long waitedNanos() {
    return waited.sum();
  }

  /** Rounds of xorshift; the result depends on all of them. */
  public static void spin(long rounds) {
    long x = rounds | 1;
    for (long i = 0; i < rounds; i++) {
      x ^= x << 13;
      x ^= x >>> 7;
      x ^= x << 17;
    }
    if (x == 0) {
      throw new IllegalStateException("xorshift never gets to zero");
    }
  }
}
