// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.gate;

import dev.sluice.flow.gate.Admission.Refusal;
import dev.sluice.flow.gate.Admission.Refused;
import dev.sluice.flow.gate.Admission.Shortage;
import dev.sluice.flow.gate.Admission.WaitNanos;
import dev.sluice.flow.limit.TokenBucket;
import org.jspecify.annotations.Nullable;

/**
 * Says whether a task may enter now: bounded by the count and the bytes of what is in flight, and
 * by a rate. It takes all that a task needs or nothing. For one thread at a time.
 */
public final class ProducerGate {
  private static final Admission TASKS_FULL =
      new WaitNanos(WaitNanos.UNTIL_RELEASE, Shortage.TASKS_FULL);
  private static final Admission BYTES_FULL =
      new WaitNanos(WaitNanos.UNTIL_RELEASE, Shortage.BYTES_FULL);
  private static final Admission CLOSED = new Refused(Refusal.CLOSED);
  private static final Admission TOO_LARGE = new Refused(Refusal.TOO_LARGE);

  private final int tasksMax;
  private final long bytesMax;
  private final @Nullable TokenBucket bucket;
  private int tasks;
  private long bytes;
  private boolean closed;

  /**
   * An empty gate.
   *
   * @param tasksMax how many tasks may be in flight, at least 1
   * @param bytesMax how many bytes they may have together, at least 1
   * @param bucket gives one token per task; null for no rate
   */
  public ProducerGate(int tasksMax, long bytesMax, @Nullable TokenBucket bucket) {
    if (tasksMax < 1 || bytesMax < 1) {
      throw new IllegalArgumentException(
          "A gate of " + tasksMax + " tasks and " + bytesMax + " bytes lets nothing through");
    }
    this.tasksMax = tasksMax;
    this.bytesMax = bytesMax;
    this.bucket = bucket;
  }

  /**
   * Lets one task in, if it may.
   *
   * @param taskBytes its size, 0 or more
   * @param nowNanos the present monotonic time
   */
  public Admission admit(long taskBytes, long nowNanos) {
    if (taskBytes < 0) {
      throw new IllegalArgumentException("A task of " + taskBytes + " bytes");
    }
    if (closed) {
      return CLOSED;
    }
    if (taskBytes > bytesMax) {
      return TOO_LARGE;
    }
    if (tasks == tasksMax) {
      return TASKS_FULL;
    }
    if (taskBytes > bytesMax - bytes) {
      return BYTES_FULL;
    }
    // The token last: room can be looked at without taking it, a token cannot.
    if (bucket != null) {
      long wait = bucket.tryAcquire(1, nowNanos);
      if (wait > 0) {
        return new WaitNanos(wait, Shortage.RATE_LIMITED);
      }
    }
    tasks++;
    bytes += taskBytes;
    return Admission.ADMITTED;
  }

  /**
   * Gives back the room of tasks that have ended.
   *
   * @throws IllegalStateException if that is more than was let in
   */
  public void release(int endedTasks, long endedBytes) {
    if (endedTasks < 0 || endedBytes < 0 || endedTasks > tasks || endedBytes > bytes) {
      throw new IllegalStateException(
          "Released "
              + endedTasks
              + " tasks of "
              + endedBytes
              + " bytes where "
              + tasks
              + " of "
              + bytes
              + " bytes are in flight: something was released twice");
    }
    tasks -= endedTasks;
    bytes -= endedBytes;
  }

  /** From now on everything is refused; what is in flight is still released. */
  public void close() {
    closed = true;
  }

  /** How many tasks are in flight. */
  public int tasks() {
    return tasks;
  }

  /** How many bytes are in flight. */
  public long bytes() {
    return bytes;
  }
}
