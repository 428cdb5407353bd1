// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.sluice;

import dev.sluice.Order;
import dev.sluice.TaskHandler;
import dev.sluice.benchmarks.subject.Options;
import dev.sluice.benchmarks.subject.Subject;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.worker.QueueBuilder;
import dev.sluice.worker.Worker;
import dev.sluice.worker.WorkerBuilder;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.util.Locale;
import java.util.Map;

/**
 * A worker as a user runs it: ledger, fleet and metrics on, and with {@code limits=all} a bulkhead,
 * a rate limiter that is never reached and a circuit breaker as well. {@code queues} of them share
 * one worker, {@code handlers} types one queue.
 */
public final class SluiceLoop {
  /** A rate that is never reached: the limiter is asked all the same. */
  private static final int PER_SECOND = 10_000_000;

  private static final long BUFFER_BYTES = 64L << 20;

  private SluiceLoop() {}

  /** Runs until its tasks are done. */
  public static void main(String[] args) throws InterruptedException {
    Options options = Options.of(args);
    Subject subject = new Subject(options);
    String protocol = options.text("protocol", "");
    WorkerBuilder builder =
        Worker.builder(
            KafkaSettings.of(
                options.bootstrap(),
                protocol.isEmpty() ? Map.of() : Map.of("group.protocol", protocol)));
    int queues = options.integer("queues", 1);
    for (int i = 0; i < queues; i++) {
      String name = queues == 1 ? options.topic() : options.topic() + "-" + i;
      builder.queue(name, queue -> queue(queue, options, subject));
    }
    Worker worker = builder.start();
    try {
      Thread.currentThread().join(); // the subject ends the process
    } finally {
      worker.close();
    }
  }

  private static void queue(QueueBuilder queue, Options options, Subject subject) {
    TaskHandler<byte[]> handler =
        (task, context) ->
            subject.task(context.partition(), context.offset(), task.key(), task.payload());
    queue
        .group(options.group())
        .order(Order.valueOf(options.text("order", "key").toUpperCase(Locale.ROOT)))
        .concurrency(options.concurrency())
        .handle(handler);
    int handlers = options.integer("handlers", 1);
    for (int i = 1; i < handlers; i++) {
      queue.handle("type-" + i, byte[].class, handler);
    }
    long capacity = options.number("capacity", 0);
    if (capacity > 0) {
      queue.capacity(capacity);
    }
    long buffer = options.number("buffer", 0);
    if (buffer > 0) {
      queue.buffer((int) buffer, BUFFER_BYTES);
    }
    if (options.text("limits", "none").equals("all")) {
      queue
          .bulkhead(options.concurrency())
          .rate(PER_SECOND)
          .circuitBreaker(CircuitBreakerConfig.ofDefaults());
    }
  }
}
