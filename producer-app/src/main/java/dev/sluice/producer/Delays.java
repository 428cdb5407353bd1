// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.Cancellation;
import dev.sluice.SluiceException;
import dev.sluice.Task;
import dev.sluice.delay.kafka.CancelDesk;
import dev.sluice.delay.kafka.DelayRecords;
import dev.sluice.delay.kafka.DelayTopics;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.producer.TaskRefusedException.Reason;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.time.Clock;
import dev.sluice.wire.TaskCodec;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Tasks with a time before which they do not run: they go into the delay topics, which are created
 * with the first one. Thread-safe.
 */
final class Delays implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final long LONGEST_MILLIS = TimeUnit.DAYS.toMillis(366);

  private final @Nullable KafkaSettings kafka;
  private final DelayTopics topics;
  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by the lock.
  private @Nullable CancelDesk desk;
  private boolean closed;

  /** 0 while it is not known. */
  private volatile int shards;

  /**
   * @param kafka for the clients that delays need; null in tests without brokers
   */
  Delays(@Nullable KafkaSettings kafka, FleetDefinition fleet, Clock clock) {
    this.kafka = kafka;
    this.topics = new DelayTopics(fleet);
    this.clock = clock;
  }

  /**
   * The record of a task, for the delay topics if it is to wait. The first one waits for the topics
   * to be created.
   *
   * @throws TaskRefusedException if they cannot be, or if it is to wait for more than a year
   */
  TaskEncoder.Encoded delayed(TaskEncoder.Encoded encoded, Task<?> task) {
    if (task.headers().isEmpty()) {
      return encoded;
    }
    long due = TaskCodec.notBeforeMillis(encoded.record().headers());
    long now = clock.epochMillis();
    if (due <= now) {
      return encoded;
    }
    if (due - now > LONGEST_MILLIS) {
      throw new TaskRefusedException(
          Reason.INVALID, task + " was not published: it is to wait for more than a year.", null);
    }
    try {
      return new TaskEncoder.Encoded(
          encoded.id(),
          DelayRecords.enter(encoded.record(), encoded.id(), due, now, topics, shards()),
          encoded.bytes(),
          true);
    } catch (SluiceException e) {
      throw new TaskRefusedException(
          Reason.INVALID, task + " was not published: it cannot be delayed. " + e.getMessage(), e);
    }
  }

  private int shards() {
    int known = shards;
    if (known > 0) {
      return known;
    }
    if (kafka == null) {
      throw new SluiceException("There are no brokers to create the delay topics.");
    }
    lock.lock();
    try {
      if (shards == 0) {
        shards = topics.ensure(kafka, TIMEOUT);
      }
      return shards;
    } finally {
      lock.unlock();
    }
  }

  CompletableFuture<Cancellation> cancel(String id, Instant notBefore, Duration timeout) {
    int count = shards();
    CancelDesk open;
    lock.lock();
    try {
      if (closed || kafka == null) {
        throw new SluiceException("Task " + id + " was not cancelled: the producer is closed.");
      }
      if (desk == null) {
        desk = new CancelDesk(kafka, topics, count, "sluice-cancel", clock);
      }
      open = desk;
    } finally {
      lock.unlock();
    }
    return open.cancel(id, notBefore.toEpochMilli(), timeout);
  }

  @Override
  public void close() {
    CancelDesk open;
    lock.lock();
    try {
      closed = true;
      open = desk;
      desk = null;
    } finally {
      lock.unlock();
    }
    if (open != null) {
      open.close();
    }
  }
}
