// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.limit;

import dev.sluice.flow.pause.PauseReason;
import org.jspecify.annotations.Nullable;

/**
 * One limit on the start of tasks. It decides and never blocks. Implementations are called from
 * several threads; {@link #tryAcquire} only by one thread at a time, {@link #release} and {@link
 * #cancel} by any.
 */
public interface Limit {
  /** What {@link #tryAcquire} returns when the task may start. */
  long GRANTED = 0;

  /** What {@link #tryAcquire} returns when only a {@link #release} can help. */
  long UNTIL_RELEASE = Long.MAX_VALUE;

  /** How a granted permit ended. */
  enum Ending {
    /** The attempt succeeded. */
    SUCCESS,
    /** The attempt failed. */
    FAILURE,
    /** The attempt was interrupted or held back: it says nothing about the downstream. */
    IGNORED
  }

  /**
   * Whether one permit serves a thread that works several tasks one after the other: true for a
   * limit on concurrency, false for a limit on starts.
   */
  default boolean perThread() {
    return false;
  }

  /**
   * Whether a task that it lets start must not wait behind another one in its thread: somebody
   * waits for it.
   */
  default boolean oneAtATime() {
    return false;
  }

  /**
   * Whether it wants to know when a start happens: then {@link #stillGranted} is asked right
   * before, {@link #begun} told right after, and {@link #returned} told at the end.
   */
  default boolean watchesStarts() {
    return false;
  }

  /**
   * Whether it watches starts at this moment: one that nobody has set need not be told of any.
   * Called by any thread.
   */
  default boolean watchesNow() {
    return watchesStarts();
  }

  /** Whether a permit that was taken may still be used. Called by any thread. */
  default boolean stillGranted(long nowNanos) {
    return true;
  }

  /** The task that a permit was taken for has begun. Called by any thread. */
  default void begun(long nowNanos) {}

  /**
   * A handler has returned, and nothing came of it yet. Called by the handler's thread, for a limit
   * that watches starts.
   */
  default void returned(long nowNanos) {}

  /**
   * Whether a handler that never returned keeps its permit, because what it does still counts; then
   * {@link #release} is called if it ever returns.
   */
  default boolean keptWhileHung() {
    return false;
  }

  /**
   * Whether it holds a downstream for broken, so that the next start is to find out: it tells most
   * by a task that has not failed before.
   */
  default boolean probes() {
    return false;
  }

  /** Permits that were taken and not given back; negative if it does not count them. */
  default int inUse() {
    return -1;
  }

  /** The reason that is shown while this limit holds tasks back. */
  PauseReason reason();

  /**
   * Takes one permit, if there is one.
   *
   * @param nowNanos the present monotonic time
   * @return {@link #GRANTED}; or after how many nanoseconds looking again is worth it (at least 1);
   *     or {@link #UNTIL_RELEASE}
   */
  long tryAcquire(long nowNanos);

  /** Gives back a permit whose task was not started, as if it had not been taken. */
  void cancel();

  /**
   * Ends a permit whose task was started.
   *
   * @param ending how it ended
   * @param durationNanos how long the attempt ran
   * @param failure what it threw where {@code ending} is FAILURE, else null
   */
  void release(Ending ending, long durationNanos, @Nullable Throwable failure);

  /**
   * The same, for a limit to which it matters whether the attempt was the first of its task: one
   * that failed before will rather fail again.
   */
  default void release(
      Ending ending, long durationNanos, @Nullable Throwable failure, boolean firstAttempt) {
    release(ending, durationNanos, failure);
  }
}
