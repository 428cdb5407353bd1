// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.share;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Who has a turn, where a limit is too small to be split over all who demand it: a bucket of 5 per
 * second with a burst of 1 cannot be cut into ten. The few places go round; who has waited longest
 * is next. A turn ends when its starts are used up, when its holder has nothing to start, or, if
 * somebody waits, when its time is up. Not thread-safe.
 *
 * <p>This is deficit round robin with a quantum of a turn's starts [1]. Handing out single permits
 * instead would cost two messages' time per start, a tenth of the rate at 5 per second.
 *
 * <p>[1] Shreedhar, Varghese: Efficient Fair Queueing using Deficit Round Robin, 1995.
 */
final class Turns {
  private final Map<String, Turn> present = new LinkedHashMap<>();
  private final Map<String, Long> servedAt = new HashMap<>();
  private long turns;

  private static final class Turn {
    final long number;
    boolean begun;
    long endsNanos;

    Turn(long number) {
      this.number = number;
    }

    /**
     * The time of a turn runs from when its holder has what it is about: others give it up first.
     */
    boolean timeUp(boolean holds, long turnNanos, long nowNanos) {
      if (!begun && holds) {
        begun = true;
        endsNanos = nowNanos + turnNanos;
      }
      return begun && endsNanos - nowNanos <= 0;
    }
  }

  /**
   * Decides whose turn it is.
   *
   * @param places how many have one at once, at least 1
   * @param turnNanos the longest that one lasts while others wait
   * @return the number of the turn of each one that has one
   */
  Map<String, Long> take(List<Demand> demands, int places, long turnNanos, long nowNanos) {
    Set<String> known = new HashSet<>();
    List<Demand> waiting = new ArrayList<>();
    for (Demand demand : demands) {
      known.add(demand.holder());
      if (demand.amount() > 0 && !present.containsKey(demand.holder())) {
        waiting.add(demand);
      }
    }
    servedAt.keySet().retainAll(known);
    for (Demand demand : demands) {
      Turn turn = present.get(demand.holder());
      boolean timeUp =
          turn != null && turn.timeUp(demand.holds(), turnNanos, nowNanos) && !waiting.isEmpty();
      if (turn != null && (demand.turnOver() || demand.amount() == 0 || timeUp)) {
        present.remove(demand.holder());
        if (demand.amount() > 0) {
          waiting.add(demand);
        }
      }
    }
    present.keySet().retainAll(known);
    waiting.sort(
        Comparator.comparingLong((Demand d) -> servedAt.getOrDefault(d.holder(), 0L))
            .thenComparing(Demand::holder));
    for (Demand next : waiting) {
      if (present.size() >= places) {
        break;
      }
      turns++;
      servedAt.put(next.holder(), turns);
      present.put(next.holder(), new Turn(turns));
    }
    trim(places);
    Map<String, Long> numbers = new HashMap<>();
    present.forEach((holder, turn) -> numbers.put(holder, turn.number));
    return numbers;
  }

  /** Where there are fewer places than before, the latest turns end. */
  private void trim(int places) {
    List<String> holders = new ArrayList<>(present.keySet());
    for (int i = places; i < holders.size(); i++) {
      present.remove(holders.get(i));
    }
  }

  /** Nobody has a turn any more. */
  void end() {
    present.clear();
  }
}
