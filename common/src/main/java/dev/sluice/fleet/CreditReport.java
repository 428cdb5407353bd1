// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

/**
 * What a producer says of its credit for one queue. The counts only grow. Immutable.
 *
 * @param queue which queue
 * @param granted the largest count of credit that it has been granted
 * @param spent tasks whose fate is decided: in the log, or possibly so
 * @param returned credit that it gave back unused
 * @param demand tasks that it would submit now if it could
 * @param waiting submits that wait
 * @param sheddableDemand the part of {@code demand} that may be refused first
 * @param waitedMillis how long submits have waited, together
 * @param line what it is for
 * @param least the part of {@code demand} without which nothing of it can be used; 0 if any part
 *     can
 * @param inDoubtNanos how long after its lease a task of it may still arrive in the log
 */
public record CreditReport(
    String queue,
    long granted,
    long spent,
    long returned,
    long demand,
    long waiting,
    long sheddableDemand,
    long waitedMillis,
    CreditLine line,
    long least,
    long inDoubtNanos) {
  public CreditReport {
    if (granted < 0
        || spent < 0
        || returned < 0
        || demand < 0
        || waiting < 0
        || sheddableDemand < 0
        || waitedMillis < 0
        || least < 0
        || inDoubtNanos < 0) {
      throw new IllegalArgumentException(
          "The credit report of " + queue + " has a negative number");
    }
  }

  /** That of a producer whose queue has one priority. */
  public CreditReport(
      String queue,
      long granted,
      long spent,
      long returned,
      long demand,
      long waiting,
      long sheddableDemand,
      long waitedMillis,
      long inDoubtNanos) {
    this(
        queue,
        granted,
        spent,
        returned,
        demand,
        waiting,
        sheddableDemand,
        waitedMillis,
        CreditLine.PRODUCED,
        0,
        inDoubtNanos);
  }
}
