// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

/**
 * Something that was done to one worker process from outside and that may make tasks run again.
 *
 * @param kind what was done
 * @param incarnation the incarnation of the worker, as its history names it
 * @param fromMono when, in nanoseconds of the machine's monotonic clock, read just before; what the
 *     process wrote until the signal arrived moves it
 * @param toMono when it was over: {@link Long#MAX_VALUE} for a kill, for a suspension just before
 *     the process went on
 */
public record Disturbance(Kind kind, String incarnation, long fromMono, long toMono) {
  /** What was done to the process. */
  public enum Kind {
    /** SIGKILL: it never runs again. */
    KILL,
    /** SIGSTOP and, later, SIGCONT: what it was at goes on after it has lost its partitions. */
    SUSPENSION
  }

  /** Refuses an end before the beginning. */
  public Disturbance {
    if (toMono < fromMono) {
      throw new IllegalArgumentException(
          "The disturbance of " + incarnation + " ends " + (fromMono - toMono) + " ns too early");
    }
  }

  /** A kill -9. */
  public static Disturbance kill(String incarnation, long mono) {
    return new Disturbance(Kind.KILL, incarnation, mono, Long.MAX_VALUE);
  }

  /** A process that stood still from one moment to the other. */
  public static Disturbance suspension(String incarnation, long fromMono, long toMono) {
    return new Disturbance(Kind.SUSPENSION, incarnation, fromMono, toMono);
  }

  /** Whether a run was under way when this began. */
  boolean cuts(long start, long end) {
    return start <= fromMono && end >= fromMono;
  }
}
