// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import java.util.List;

/**
 * All that one holder may do, in answer to one of its reports. What is not named is nothing.
 * Immutable.
 *
 * @param incarnation whom it is for
 * @param number of the grant; grows within an epoch
 * @param report the number of the report that it answers: the lease runs from when that was sent
 * @param limits shares of fleet limits
 * @param credits credit for queues
 */
public record Grant(
    String incarnation,
    long number,
    long report,
    List<LimitGrant> limits,
    List<CreditGrant> credits) {
  public Grant {
    if (number < 1 || report < 1) {
      throw new IllegalArgumentException("Grant " + number + " of report " + report);
    }
    limits = List.copyOf(limits);
    credits = List.copyOf(credits);
  }
}
