// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

/**
 * Credit for one queue. Immutable.
 *
 * @param queue which queue
 * @param line what it is for
 * @param granted all credit that this producer has ever been granted; grows only
 * @param settled how much of it is known to be spent or returned
 * @param escrow how much of what is unspent is kept for the time when nobody answers
 * @param sheddable whether tasks that may be refused first may enter
 * @param waiting tasks that wait at all producers
 * @param milliRate thousandths of a task per second that all producers together are admitted
 */
public record CreditGrant(
    String queue,
    CreditLine line,
    long granted,
    long settled,
    long escrow,
    boolean sheddable,
    long waiting,
    long milliRate) {
  public CreditGrant {
    if (settled < 0 || granted < settled || escrow < 0 || waiting < 0 || milliRate < 0) {
      throw new IllegalArgumentException("The credit for " + queue + " is impossible");
    }
  }

  /** Tells it from all other credit of its holder. */
  public String account() {
    return line.account(queue);
  }

  /** That of a producer whose queue has one priority. */
  public CreditGrant(
      String queue,
      long granted,
      long settled,
      long escrow,
      boolean sheddable,
      long waiting,
      long milliRate) {
    this(queue, CreditLine.PRODUCED, granted, settled, escrow, sheddable, waiting, milliRate);
  }
}
