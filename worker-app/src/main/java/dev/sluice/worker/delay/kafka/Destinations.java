// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.delay.kafka;

import dev.sluice.SluiceException;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The topics that delayed tasks come out in: whether they are there and take anything. One that is
 * not must not hold up what is for others. Thread-safe.
 */
final class Destinations implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DelayService.class);
  private static final int TOPICS_MAX = 10_000;
  private static final long KNOWN_MILLIS = 60_000;

  private final Topics topics;
  private final ReentrantLock lock = new ReentrantLock();

  /** A topic that is there, and until when that is believed. */
  private record Known(int partitions, long untilMillis) {}

  // Guarded by the lock.
  private final Map<String, Known> known = new HashMap<>();
  private final Map<String, Long> refusedUntil = new HashMap<>();
  private boolean mayDelete = true;

  Destinations(KafkaSettings kafka, Duration timeout) {
    this.topics = new Topics(kafka, timeout);
  }

  /** For who looks at the delay topics themselves. */
  Topics topics() {
    return topics;
  }

  /** Whether to send something there now. */
  boolean takes(String topic, long nowMillis) {
    lock.lock();
    try {
      if (refusedUntil.getOrDefault(topic, Long.MIN_VALUE) > nowMillis) {
        return false;
      }
      Known before = known.get(topic);
      if (before != null && before.untilMillis() > nowMillis) {
        return true;
      }
    } finally {
      lock.unlock();
    }
    Optional<Integer> partitions;
    try {
      partitions = topics.partitions(topic);
    } catch (SluiceException e) {
      refuse(topic, e, nowMillis + KNOWN_MILLIS);
      return false;
    }
    if (partitions.isEmpty()) {
      refuse(topic, new SluiceException("there is no such topic"), nowMillis + KNOWN_MILLIS);
      return false;
    }
    lock.lock();
    try {
      if (known.size() > TOPICS_MAX) {
        known.clear();
      }
      known.put(topic, new Known(partitions.get(), nowMillis + KNOWN_MILLIS));
    } finally {
      lock.unlock();
    }
    return true;
  }

  /** How many partitions a topic has that {@link #takes} said yes of. */
  int partitions(String topic) {
    lock.lock();
    try {
      Known found = known.get(topic);
      return found == null ? 1 : found.partitions();
    } finally {
      lock.unlock();
    }
  }

  /** Whether a failure is one of the topic, and not of the transaction or of the moment. */
  static boolean concernsTopic(Exception failure) {
    return failure instanceof UnknownTopicOrPartitionException
        || failure instanceof AuthorizationException
        || failure instanceof InvalidTopicException
        || failure instanceof PolicyViolationException;
  }

  /** Sends nothing there for a while. */
  void refuse(String topic, Exception why, long untilMillis) {
    lock.lock();
    try {
      if (refusedUntil.size() > TOPICS_MAX) {
        refusedUntil.clear();
      }
      refusedUntil.put(topic, untilMillis);
      known.remove(topic);
    } finally {
      lock.unlock();
    }
    LOG.error(
        "Delayed tasks cannot come out in topic {}, and wait another minute: {}",
        topic,
        why.getMessage());
  }

  /** Deletes what was served from the delay topics, where this principal may. */
  void delete(Map<TopicPartition, Long> before) {
    lock.lock();
    try {
      if (!mayDelete || before.isEmpty()) {
        return;
      }
    } finally {
      lock.unlock();
    }
    topics.deleteBefore(
        before,
        failure -> {
          lock.lock();
          try {
            mayDelete = false;
          } finally {
            lock.unlock();
          }
          LOG.warn(
              "Delayed tasks that were served cannot be deleted from the delay topics, which grow:"
                  + " {}. Allow DELETE on them to the workers.",
              failure.getMessage());
        });
  }

  @Override
  public void close() {
    topics.close();
  }
}
