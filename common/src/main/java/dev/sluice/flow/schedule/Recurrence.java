// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.schedule;

/** The times of something that recurs, in epoch milliseconds. */
public interface Recurrence {
  /** The first time after that one; {@link Long#MAX_VALUE} if there is none. */
  long after(long epochMillis);

  /** The last time up to that one, itself included; {@link Long#MIN_VALUE} if there is none. */
  long upTo(long epochMillis);
}
