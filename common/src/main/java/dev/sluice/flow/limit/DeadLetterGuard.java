// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.limit;

import dev.sluice.flow.pause.PauseReason;
import org.jspecify.annotations.Nullable;

/**
 * Holds a handler back that fails everything: a downstream that is away must not turn its queue
 * into dead letters. After {@value #FAILURES} tasks have failed in their first attempt, without a
 * success between them, nothing starts for a second; then one attempt is a probe, and each probe
 * that fails doubles the wait, up to ten seconds. The first success lets everything go on. So at
 * most {@value #FAILURES} tasks, those that were under way, and the probes find the downstream
 * away. Later attempts are no sign: where the good tasks are done, those that fail are left.
 *
 * <p>It costs a task that succeeds one volatile read. Thread-safe, as every limit is.
 */
public final class DeadLetterGuard implements Limit {
  /** So many failed attempts in a row close it. */
  public static final int FAILURES = 20;

  private static final long FIRST_WAIT_NANOS = 1_000_000_000L;
  private static final long LONGEST_WAIT_NANOS = 10_000_000_000L;

  /** Work starts within 200 ms after a success, also where that came from an earlier attempt. */
  private static final long LOOK_AGAIN_NANOS = 50_000_000;

  /** After this much more than its handler may take, a probe is not waited for. */
  private static final long PROBE_GRACE_NANOS = 10_000_000_000L;

  private enum State {
    OPEN,
    SHUT,
    PROBING
  }

  private final long timeoutNanos;
  private final Listener listener;

  // Guarded by this; the first two are read without it to see that there is nothing to do.
  private volatile int failuresInRow;
  private volatile State state = State.OPEN;
  private boolean waitBegun;
  private long waitNanos = FIRST_WAIT_NANOS;
  private long untilNanos;

  /** Told when the guard holds its handler back and when it lets it go on; must not block. */
  public interface Listener {
    /**
     * Nothing starts any more but probes.
     *
     * @param failure of the attempt that made it shut
     */
    void shut(@Nullable Throwable failure);

    /** An attempt has succeeded: everything goes on. */
    void opened();
  }

  /**
   * @param timeoutNanos the longest that an attempt may take
   */
  public DeadLetterGuard(long timeoutNanos, Listener listener) {
    this.timeoutNanos = timeoutNanos;
    this.listener = listener;
  }

  @Override
  public PauseReason reason() {
    return PauseReason.CIRCUIT_OPEN;
  }

  @Override
  public boolean probes() {
    return state != State.OPEN;
  }

  @Override
  public long tryAcquire(long nowNanos) {
    return state == State.OPEN ? GRANTED : tryProbe(nowNanos);
  }

  private synchronized long tryProbe(long nowNanos) {
    if (state == State.OPEN) {
      return GRANTED;
    }
    if (!waitBegun) {
      waitBegun = true;
      untilNanos = nowNanos + waitNanos;
    }
    long rest = untilNanos - nowNanos;
    if (rest > 0) {
      return Math.min(rest, LOOK_AGAIN_NANOS);
    }
    state = State.PROBING;
    // One whose handler never returns is not waited for.
    untilNanos = nowNanos + timeoutNanos + PROBE_GRACE_NANOS;
    return GRANTED;
  }

  @Override
  public void cancel() {
    if (state != State.OPEN) {
      probeAgain();
    }
  }

  /** The probe did not tell anything: the next one may begin at once. */
  private synchronized void probeAgain() {
    if (state == State.PROBING) {
      state = State.SHUT;
      waitBegun = true;
      untilNanos = untilNanos - timeoutNanos - PROBE_GRACE_NANOS;
    }
  }

  @Override
  public void release(Ending ending, long durationNanos, @Nullable Throwable failure) {
    release(ending, durationNanos, failure, true);
  }

  @Override
  public void release(
      Ending ending, long durationNanos, @Nullable Throwable failure, boolean firstAttempt) {
    switch (ending) {
      case SUCCESS -> {
        if (failuresInRow != 0) {
          succeeded();
        }
      }
      case FAILURE -> failed(failure, firstAttempt);
      case IGNORED -> cancel();
    }
  }

  private void succeeded() {
    boolean told;
    synchronized (this) {
      failuresInRow = 0;
      told = state != State.OPEN;
      state = State.OPEN;
      waitNanos = FIRST_WAIT_NANOS;
    }
    if (told) {
      listener.opened();
    }
  }

  private void failed(@Nullable Throwable failure, boolean firstAttempt) {
    boolean told = false;
    synchronized (this) {
      int inRow = failuresInRow + (firstAttempt && failuresInRow < FAILURES ? 1 : 0);
      failuresInRow = inRow;
      if (state == State.OPEN && inRow >= FAILURES) {
        state = State.SHUT;
        waitBegun = false;
        told = true;
      } else if (state == State.PROBING) {
        state = State.SHUT;
        waitBegun = false;
        waitNanos = Math.min(LONGEST_WAIT_NANOS, waitNanos * 2);
      }
    }
    if (told) {
      listener.shut(failure);
    }
  }
}
