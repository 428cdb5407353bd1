// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

/**
 * What an operator has set for a queue at run time. Immutable.
 *
 * @param queue the queue
 * @param what which setting
 * @param value thousandths of a start per second for a rate, milliseconds for a delay, else a
 *     count; without meaning for a pause and a seal
 * @param burst the burst of a rate; else 0
 * @param by who set it
 * @param atMillis when, in epoch milliseconds
 * @param expiresMillis when it ends by itself; 0 for never
 */
public record OperatorSetting(
    String queue, What what, long value, long burst, String by, long atMillis, long expiresMillis) {
  /** What can be set. */
  public enum What {
    /** Nothing of the queue starts. */
    PAUSE,
    /** Nothing comes into the queue. */
    SEAL,
    /** Starts per second of all workers together. */
    FLEET_RATE,
    /** Tasks that all workers together run at once. */
    FLEET_CONCURRENCY,
    /** Tasks that producers may have in the queue; 0 for no bound. */
    CAPACITY,
    /** The delay that tasks should have; 0 for none. */
    TARGET_DELAY
  }

  public OperatorSetting {
    if (value < 0 || burst < 0 || expiresMillis < 0) {
      throw new IllegalArgumentException("The setting " + what + " of " + queue + " is impossible");
    }
  }

  /** Whether it still holds. */
  public boolean holds(long nowMillis) {
    return expiresMillis == 0 || nowMillis < expiresMillis;
  }
}
