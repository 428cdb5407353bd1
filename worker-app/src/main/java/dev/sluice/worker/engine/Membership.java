// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

/**
 * Whether the group still has this worker as the owner of its partitions, as far as can be known
 * here. The group's coordinator takes the place of a member that it has not heard of for a session
 * time-out, and the client does not say so before it reaches the coordinator again; a join that is
 * never answered, or a coordinator that is out of reach while other brokers answer, would leave a
 * worker at partitions that others own by then. So a place counts as proven only from the moment at
 * which a request was sent that the coordinator has answered as one of a member, and for a session
 * time-out less a tenth.
 *
 * <p>The second rule is for processes that stood still: after half a session time-out without a
 * turn of the poll thread nothing starts before a request has been answered that was sent later.
 *
 * <p>Monotonic nanoseconds. To be used under the engine's lock; only {@link #graceNanos} is for any
 * thread.
 */
public final class Membership {
  private final long stallNanos;
  private final long validNanos;
  private final long graceNanos;
  private final long renewNanos;
  private long turnNanos;
  private long provenNanos;
  private boolean suspended;
  private long suspendedNanos;

  /**
   * @param sessionNanos after how long without a sign of life the coordinator gives up a member
   * @param nowNanos the present time; nothing is owned yet
   */
  public Membership(long sessionNanos, long nowNanos) {
    stallNanos = sessionNanos / 2;
    graceNanos = sessionNanos / 10;
    validNanos = sessionNanos - graceNanos;
    renewNanos = sessionNanos / 4;
    turnNanos = nowNanos;
    provenNanos = nowNanos;
  }

  /** The poll thread takes a turn. */
  void turn(long nowNanos) {
    if (nowNanos - turnNanos > stallNanos) {
      suspend(nowNanos);
    }
    turnNanos = nowNanos;
  }

  /** Whether a task may be given to a thread, which may begin it until the grace is over. */
  boolean mayStart(long nowNanos) {
    if (nowNanos - turnNanos > stallNanos || nowNanos - provenNanos > validNanos) {
      suspend(nowNanos);
    }
    return !suspended;
  }

  /**
   * The coordinator has answered as it does to one that is no member, or not of this generation.
   */
  void refused(long nowNanos) {
    suspended = true;
    suspendedNanos = nowNanos;
  }

  private void suspend(long nowNanos) {
    if (!suspended) {
      suspended = true;
      suspendedNanos = nowNanos;
    }
  }

  /**
   * The coordinator has answered as it answers a member.
   *
   * @param sentNanos when the request was sent, or some time before that
   */
  void proven(long sentNanos) {
    if (sentNanos - provenNanos > 0) {
      provenNanos = sentNanos;
    }
    if (sentNanos - suspendedNanos >= 0) {
      suspended = false;
    }
  }

  /** Whether nothing starts until membership is proven again. */
  boolean suspended() {
    return suspended;
  }

  /** Whether it is time for a request that proves it, if none is under way for its own sake. */
  boolean wantsProof(long nowNanos) {
    return suspended || nowNanos - provenNanos > renewNanos;
  }

  /** For how long it has not been proven. */
  long ageNanos(long nowNanos) {
    return nowNanos - provenNanos;
  }

  /** For how long after it was given a task may begin. */
  public long graceNanos() {
    return graceNanos;
  }

  /** When the poll thread took its last turn. */
  long turnNanos() {
    return turnNanos;
  }
}
