// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * The rules of the protocol that the limits hang on. Production keeps {@link #ALL}; the simulation
 * switches one off at a time and shows that the limit then breaks, so that no rule is kept out of
 * habit and none is lost by accident. No configuration reaches this.
 */
public enum ProtocolRule {
  /** A holder reads its partition from the start before it accepts anything. */
  READ_FROM_START,
  /** A holder accepts only the greatest epoch that it has read. */
  FENCE_EPOCHS,
  /** A new coordinator books the largest of the grants that it reads back, not the newest. */
  BOOK_THE_LARGEST,
  /** A grant is for one incarnation, not for a name. */
  MATCH_INCARNATION,
  /** A lease runs from when the report was sent, not from when the grant arrived. */
  LEASE_FROM_REPORT,
  /** A decrease counts when its holder has confirmed it. */
  CONFIRM_DECREASE,
  /** What cannot be read back is waited out. */
  WAIT_OUT_THE_UNREADABLE,
  /** Spent credit is free again when the backlog shows it as finished, not when it is spent. */
  CONSERVE_CREDIT;

  /** All of them. */
  public static final Set<ProtocolRule> ALL =
      Collections.unmodifiableSet(EnumSet.allOf(ProtocolRule.class));

  /** All but one. */
  public static Set<ProtocolRule> without(ProtocolRule rule) {
    return Collections.unmodifiableSet(EnumSet.complementOf(EnumSet.of(rule)));
  }
}
