// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.flow.limit.Limit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.ToIntFunction;

/** Compares what an engine counts in several ways: what does not add up was never given back. */
final class Audit {
  private Audit() {}

  /** Lanes against ledgers, slots and permits against the threads that have them; in words. */
  static List<String> leaks(
      Collection<PartitionState> partitions,
      List<QueueState> queues,
      ToIntFunction<HandlerState> threadsOf) {
    List<String> leaks = new ArrayList<>();
    partitions.forEach(partition -> lane(partition, leaks));
    queues.forEach(queue -> slots(queue, threadsOf, leaks));
    return leaks;
  }

  private static void lane(PartitionState partition, List<String> leaks) {
    int placed = partition.lane.depth() + partition.shelf.size();
    if (placed != partition.ledger.undone()) {
      leaks.add(
          "the lane of "
              + partition.topic
              + "-"
              + partition.partition
              + " counts "
              + placed
              + " tasks, and "
              + partition.ledger.undone()
              + " are unfinished");
    }
  }

  private static void slots(
      QueueState queue, ToIntFunction<HandlerState> threadsOf, List<String> leaks) {
    int threads = 0;
    for (HandlerState handler : queue.handlers) {
      int own = threadsOf.applyAsInt(handler);
      threads += own;
      permits(handler, own, leaks);
    }
    if (queue.running != threads) {
      leaks.add(
          "queue "
              + queue.name
              + " counts "
              + queue.running
              + " slots, and has "
              + threads
              + " threads");
    }
  }

  private static void permits(HandlerState handler, int threads, List<String> leaks) {
    for (Limit limit : handler.threadLimits) {
      if (limit.inUse() >= 0 && limit.inUse() != threads) {
        leaks.add(
            "handler '"
                + handler.type
                + "' of "
                + handler.queue.name
                + " has "
                + limit.inUse()
                + " permits ("
                + limit.reason()
                + ") taken, and "
                + threads
                + " threads");
      }
    }
  }
}
