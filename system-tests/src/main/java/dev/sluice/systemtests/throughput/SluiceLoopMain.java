// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.throughput;

import dev.sluice.Order;
import dev.sluice.cli.Commands;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.worker.QueueBuilder;
import dev.sluice.worker.Worker;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * The same work by a worker with a handler that does nothing, keys in order, the ledger, a bulkhead
 * and a rate limiter on. Arguments: bootstrap servers, topic, group, tasks.
 */
public final class SluiceLoopMain {
  private static final int CONCURRENCY = 16;

  /** A rate that is never reached: the limiter is asked all the same. */
  private static final int PER_SECOND = 10_000_000;

  private static final double FLEET_PER_SECOND = 9_000_000;
  private static final long FLEET_BURST = 100_000_000;

  private SluiceLoopMain() {}

  /** Works so many tasks and prints one line of figures. */
  public static void main(String[] args) throws InterruptedException {
    Commands.configureLogging(false);
    LongAdder done = new LongAdder();
    try (Worker worker =
        Worker.builder(KafkaSettings.of(args[0], Map.of("group.protocol", "consumer")))
            .queue(
                args[1],
                queue ->
                    fleet(queue, args.length > 4)
                        .group(args[2])
                        .order(Order.KEY)
                        .concurrency(CONCURRENCY)
                        .handle((task, context) -> done.increment())
                        .bulkhead(CONCURRENCY)
                        .rate(PER_SECOND))
            .start()) {
      Measurement.printWhenDone(Long.parseLong(args[3]), done::sum);
      worker.stop();
    }
  }

  private static QueueBuilder fleet(QueueBuilder queue, boolean limited) {
    return limited ? queue.fleetRate(FLEET_PER_SECOND, FLEET_BURST) : queue;
  }
}
