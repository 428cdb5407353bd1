// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

/**
 * Something that was done from outside and that may make tasks run again.
 *
 * @param kind what was done
 * @param incarnation the incarnation of the worker that it was done to, as its history names it;
 *     {@link #ALL} for what concerns all
 * @param fromMono when, in nanoseconds of the machine's monotonic clock, read just before; what the
 *     process wrote until the signal arrived moves it
 * @param toMono when it was over: {@link Long#MAX_VALUE} for a kill, for a suspension just before
 *     the process went on
 * @param uncommitted how many of its completions no acknowledged commit covered just before, by its
 *     own metric; -1 if that is not known, and the commit window tells
 * @param sampledMono when that was
 */
public record Disturbance(
    Kind kind, String incarnation, long fromMono, long toMono, long uncommitted, long sampledMono) {
  /** Stands for all workers. */
  public static final String ALL = "*";

  /** What was done to the process. */
  public enum Kind {
    /** SIGKILL: it never runs again. */
    KILL,
    /** SIGSTOP and, later, SIGCONT: what it was at goes on after it has lost its partitions. */
    SUSPENSION,
    /** Brokers were away: what ended meanwhile could not be committed. */
    OUTAGE
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
    return new Disturbance(Kind.KILL, incarnation, mono, Long.MAX_VALUE, -1, mono);
  }

  /** A process that stood still from one moment to the other. */
  public static Disturbance suspension(String incarnation, long fromMono, long toMono) {
    return new Disturbance(Kind.SUSPENSION, incarnation, fromMono, toMono, -1, fromMono);
  }

  /** The same with what the worker said of itself just before. */
  public Disturbance sampled(long uncommittedThen, long mono) {
    return new Disturbance(kind, incarnation, fromMono, toMono, uncommittedThen, mono);
  }

  /** Brokers that were away, until they and the groups were well again. */
  public static Disturbance outage(long fromMono, long toMono) {
    return new Disturbance(Kind.OUTAGE, ALL, fromMono, toMono, -1, fromMono);
  }

  /** Whether a run was under way when this began. */
  boolean cuts(long start, long end) {
    return start <= fromMono && end >= fromMono;
  }
}
