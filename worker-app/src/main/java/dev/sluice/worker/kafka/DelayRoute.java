// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.delay.kafka.DelayRecords;
import dev.sluice.delay.kafka.DelayTopics;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.time.Clock;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.producer.ProducerRecord;

/** The way into the delay topics, which are there once the first task is to wait. Thread-safe. */
public final class DelayRoute {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private final KafkaSettings kafka;
  private final DelayTopics topics;
  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile int shards;

  /**
   * @param fleet names the topics
   */
  public DelayRoute(KafkaSettings kafka, FleetDefinition fleet, Clock clock) {
    this.kafka = kafka;
    this.topics = new DelayTopics(fleet);
    this.clock = clock;
  }

  /**
   * Creates the topics if they are not there. May block for some seconds.
   *
   * @return how many shards they have
   * @throws dev.sluice.ConfigException if they may not be created
   * @throws dev.sluice.kafka.BrokerUnavailableException if no broker answers
   */
  public int ensure() {
    int known = shards;
    if (known > 0) {
      return known;
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

  /** The record that lets a task wait before it comes into the topic of its record. */
  ProducerRecord<byte[], byte[]> enter(
      ProducerRecord<byte[], byte[]> task, String id, long delayMillis) {
    long now = clock.epochMillis();
    return DelayRecords.enter(task, id, now + delayMillis, now, topics, ensure());
  }
}
