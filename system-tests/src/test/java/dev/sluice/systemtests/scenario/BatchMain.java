// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.Task;
import dev.sluice.producer.Batch;
import dev.sluice.producer.TaskProducer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Fills a batch, from where it or another one left off. A parent, a plain one, and so on; of each
 * hundred, one fails. Arguments: brokers, batch, tasks, nanoseconds between two.
 */
final class BatchMain {
  private BatchMain() {}

  public static void main(String[] arguments) {
    int tasks = Integer.parseInt(arguments[2]);
    long pause = Long.parseLong(arguments[3]);
    try (TaskProducer producer = TaskProducer.connect(arguments[0]);
        Batch batch = producer.batch(arguments[1])) {
      System.out.println("goes on at " + batch.added());
      System.out.flush();
      for (long i = batch.added(); i < tasks; i++) {
        batch.add(Task.of(Scenario.QUEUE, "t", text(i).getBytes(UTF_8)).key("k" + i % 997));
        if (pause > 0 && i % 100 == 0) {
          LockSupport.parkNanos(TimeUnit.NANOSECONDS.toNanos(100 * pause));
        }
      }
      batch.seal();
    }
  }

  static String text(long i) {
    if (i % 100 == 99) {
      return "fail " + i;
    }
    return (i % 2 == 0 ? "parent " : "plain ") + i;
  }
}
