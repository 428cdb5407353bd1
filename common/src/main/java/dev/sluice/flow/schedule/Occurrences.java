// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.schedule;

import java.util.ArrayList;
import java.util.List;

/** Finds the times that are due. Pure. */
public final class Occurrences {
  /** Nobody calls a time missed that is as late as that. */
  public static final long GRACE_MILLIS = 60_000;

  /** So many are fired at once; the others of them right after. */
  private static final int AT_ONCE_MAX = 100;

  /**
   * What is due.
   *
   * @param fire the times to fire now, in their order
   * @param lastMillis up to here everything is settled once these are fired
   */
  public record Due(List<Long> fire, long lastMillis) {}

  private Occurrences() {}

  /**
   * The times to fire.
   *
   * @param lastMillis up to here everything is settled
   * @param nowMillis the present time
   */
  public static Due due(Recurrence recurrence, Missed missed, long lastMillis, long nowMillis) {
    if (missed == Missed.ONCE) {
      long latest = recurrence.upTo(nowMillis);
      return latest <= lastMillis
          ? new Due(List.of(), lastMillis)
          : new Due(List.of(latest), latest);
    }
    long from = lastMillis;
    if (missed == Missed.SKIP) {
      from = Math.max(from, nowMillis - GRACE_MILLIS);
    }
    List<Long> fire = new ArrayList<>();
    long at = recurrence.after(from);
    while (at <= nowMillis && fire.size() < AT_ONCE_MAX) {
      fire.add(at);
      at = recurrence.after(at);
    }
    return new Due(fire, fire.isEmpty() ? lastMillis : fire.get(fire.size() - 1));
  }
}
