// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.clients;

import dev.sluice.benchmarks.subject.Options;
import dev.sluice.benchmarks.subject.Subject;
import java.lang.reflect.InvocationTargetException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/**
 * Hands each record of a batch to a pool, waits for all of them, commits, polls again. It keeps no
 * order. {@code threads=virtual} gives each task a virtual thread, and a semaphore bounds them.
 */
public final class PoolPerBatch {
  private PoolPerBatch() {}

  /** Runs until its tasks are done. */
  public static void main(String[] args) throws InterruptedException, ExecutionException {
    Options options = Options.of(args);
    Subject subject = new Subject(options);
    boolean virtual = options.text("threads", "platform").equals("virtual");
    Semaphore permits = new Semaphore(options.concurrency());
    ExecutorService pool =
        virtual ? virtualThreads() : Executors.newFixedThreadPool(options.concurrency());
    try (KafkaConsumer<byte[], byte[]> consumer =
        Consumers.of(options, Map.of("enable.auto.commit", "false"))) {
      List<Future<?>> batch = new ArrayList<>();
      while (true) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
          if (virtual) {
            permits.acquire();
          }
          batch.add(
              pool.submit(
                  () -> {
                    subject.task(record.partition(), record.offset(), record.key(), record.value());
                    if (virtual) {
                      permits.release();
                    }
                  }));
        }
        for (Future<?> task : batch) {
          task.get();
        }
        batch.clear();
        consumer.commitAsync();
      }
    }
  }

  /** By reflection, since the code is compiled for Java 17. */
  private static ExecutorService virtualThreads() {
    try {
      return (ExecutorService)
          Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("This Java has no virtual threads", e);
    }
  }
}
