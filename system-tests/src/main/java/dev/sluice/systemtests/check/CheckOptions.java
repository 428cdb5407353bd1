// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import dev.sluice.Order;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was promised to the run that is judged.
 *
 * @param order the order that the queue had
 * @param queue the queue to judge where the workers had several, null where they had one
 * @param commitWindow how long before a kill a completion may have been without an acknowledged
 *     commit: the commit interval plus the time that a commit takes
 * @param disturbances what was done to the workers; runs that these explain are judged by the bound
 *     of S2, all others by {@code unexplainedMax}
 * @param unexplainedMax how many tasks may run again though nothing was done to their worker; 0 is
 *     what S2 promises while the brokers are well
 */
public record CheckOptions(
    Order order,
    @Nullable String queue,
    Duration commitWindow,
    List<Disturbance> disturbances,
    long unexplainedMax) {
  /** Copies the list. */
  public CheckOptions {
    disturbances = List.copyOf(disturbances);
  }

  /** An undisturbed run: every task exactly once. */
  public static CheckOptions undisturbed(Order order) {
    return new CheckOptions(order, null, Duration.ZERO, List.of(), 0);
  }

  /** The same, of one queue only, where the histories hold several. */
  public CheckOptions ofQueue(String name) {
    return new CheckOptions(order, name, commitWindow, disturbances, unexplainedMax);
  }

  /** The same with disturbances and the commit window that bounds what they cost. */
  public CheckOptions disturbedBy(List<Disturbance> what, Duration window) {
    return new CheckOptions(order, queue, window, what, unexplainedMax);
  }

  /** The same with another bound for what nothing explains. */
  public CheckOptions allowingUnexplained(long most) {
    return new CheckOptions(order, queue, commitWindow, disturbances, most);
  }
}
