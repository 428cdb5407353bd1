// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.dead;

import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Finds the payloads of dead letters that came without: a task of nearly the size that brokers
 * accept has no room for what a dead letter adds, and its payload is where it was. Connects when
 * first asked. For one thread.
 */
final class Origins implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final Supplier<KafkaConsumer<byte[], byte[]>> connect;
  private @Nullable KafkaConsumer<byte[], byte[]> consumer;

  /**
   * @param there whether the record is still there
   * @param value its payload, which may be null there, too
   */
  record Found(boolean there, byte @Nullable [] value) {
    static final Found GONE = new Found(false, null);
  }

  Origins(Supplier<KafkaConsumer<byte[], byte[]>> connect) {
    this.connect = connect;
  }

  Found find(DeadLetter letter) {
    String[] origin = letter.origin().orElse("").split("/", -1);
    if (origin.length != 3) {
      return new Found(true, null); // another program's letter: it is as it is
    }
    try {
      return find(
          new TopicPartition(origin[0], Integer.parseInt(origin[1])), Long.parseLong(origin[2]));
    } catch (NumberFormatException e) {
      return new Found(true, null);
    } catch (KafkaException e) {
      return Found.GONE; // its topic is gone, or may not be read here
    }
  }

  private Found find(TopicPartition id, long offset) {
    KafkaConsumer<byte[], byte[]> present = consumer;
    if (present == null) {
      present = connect.get();
      consumer = present;
    }
    if (present.partitionsFor(id.topic(), TIMEOUT).size() <= id.partition()) {
      return Found.GONE;
    }
    present.assign(List.of(id));
    if (present.beginningOffsets(List.of(id), TIMEOUT).getOrDefault(id, 0L) > offset
        || present.endOffsets(List.of(id), TIMEOUT).getOrDefault(id, 0L) <= offset) {
      return Found.GONE;
    }
    present.seek(id, offset);
    for (ConsumerRecord<byte[], byte[]> record : present.poll(TIMEOUT)) {
      return record.offset() == offset ? new Found(true, record.value()) : Found.GONE;
    }
    return Found.GONE;
  }

  @Override
  public void close() {
    KafkaConsumer<byte[], byte[]> present = consumer;
    if (present != null) {
      present.close();
    }
  }
}
