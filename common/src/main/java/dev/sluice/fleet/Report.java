// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import java.util.List;

/**
 * What a process says of itself: what it could use of the fleet limits, what it holds, and how its
 * queues are. Immutable.
 *
 * @param name of the process, for people
 * @param incarnation 128 random bits in hexadecimal, drawn at each start of a process
 * @param kind worker or producer
 * @param number of the report, from 1; never used twice
 * @param topicId the id of the grants topic that it reads
 * @param partition of the grants topic that it reads
 * @param appliedCounter the counter of the epoch of the grant that it applied last; 0 for none
 * @param appliedNumber the number of that grant; 0 for none
 * @param roundTripNanos how long the last grant took from its report to its arrival; 0 for none yet
 * @param leaving whether it is going: it starts nothing more
 * @param limits what it says of fleet limits
 * @param credits what it says of its credit
 * @param queues what it says of its queues
 */
public record Report(
    String name,
    String incarnation,
    Kind kind,
    long number,
    String topicId,
    int partition,
    long appliedCounter,
    long appliedNumber,
    long roundTripNanos,
    boolean leaving,
    List<LimitReport> limits,
    List<CreditReport> credits,
    List<QueueReport> queues) {
  /** What a process is. */
  public enum Kind {
    /** It works tasks. */
    WORKER,
    /** It submits tasks. */
    PRODUCER
  }

  public Report {
    if (number < 1 || partition < 0 || appliedNumber < 0 || roundTripNanos < 0) {
      throw new IllegalArgumentException("Report " + number + " of " + name + " is impossible");
    }
    limits = List.copyOf(limits);
    credits = List.copyOf(credits);
    queues = List.copyOf(queues);
  }
}
