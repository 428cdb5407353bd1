// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.throughput;

import dev.sluice.Order;
import dev.sluice.cli.Commands;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.worker.Worker;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * The same work by a worker with a handler that does nothing, keys in order, the ledger and a
 * bulkhead on. Arguments: bootstrap servers, topic, group, tasks.
 */
public final class SluiceLoopMain {
  private static final int CONCURRENCY = 16;

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
                    queue
                        .group(args[2])
                        .order(Order.KEY)
                        .concurrency(CONCURRENCY)
                        .bulkhead(CONCURRENCY)
                        .handle((task, context) -> done.increment()))
            .start()) {
      Measurement.printWhenDone(Long.parseLong(args[3]), done::sum);
      worker.stop();
    }
  }
}
