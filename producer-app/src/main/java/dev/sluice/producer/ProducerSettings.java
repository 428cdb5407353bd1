// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.ConfigException;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The properties of the Kafka client: what the user set, our defaults, and what S1 needs. */
final class ProducerSettings {
  private static final int REQUEST_TIMEOUT_MS = 15_000;
  private static final int DELIVERY_TIMEOUT_MS = 60_000;
  private static final int MAX_BLOCK_MS = 5_000;
  private static final int WAIT_MS_MAX = 600_000;
  private static final long BUFFER_SPARE = 32L << 20;

  private ProducerSettings() {}

  /**
   * Completes and checks the properties.
   *
   * @throws ConfigException if one of them would break a promise
   */
  static Map<String, Object> complete(Map<String, Object> given, long maxInFlightBytes) {
    Map<String, Object> all = new HashMap<>();
    all.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, REQUEST_TIMEOUT_MS);
    all.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, DELIVERY_TIMEOUT_MS);
    all.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, MAX_BLOCK_MS);
    // Room for every admitted byte, doubled for batches that are cut before they are full, so that
    // the client's own buffer is never what a caller waits for.
    all.put(
        ProducerConfig.BUFFER_MEMORY_CONFIG,
        Math.addExact(Math.multiplyExact(2, maxInFlightBytes), BUFFER_SPARE));
    all.putAll(given);
    require(all, ProducerConfig.ACKS_CONFIG, "all", "-1");
    require(all, ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
    atMost(all, ProducerConfig.MAX_BLOCK_MS_CONFIG);
    atMost(all, ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG);
    refuse(all, ProducerConfig.TRANSACTIONAL_ID_CONFIG);
    refuse(all, ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG);
    refuse(all, ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG);
    if (number(all, ProducerConfig.BUFFER_MEMORY_CONFIG) < maxInFlightBytes) {
      throw new ConfigException(
          "buffer.memory="
              + all.get(ProducerConfig.BUFFER_MEMORY_CONFIG)
              + " is below maxInFlightBytes="
              + maxInFlightBytes
              + ": callers would wait in the Kafka client. Leave buffer.memory out or raise it.");
    }
    all.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    all.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    return all;
  }

  private static void require(Map<String, Object> all, String name, String... accepted) {
    Object value = all.putIfAbsent(name, accepted[0]);
    if (value == null) {
      return;
    }
    for (String one : accepted) {
      if (one.equalsIgnoreCase(String.valueOf(value).trim())) {
        return;
      }
    }
    throw new ConfigException(
        name
            + "="
            + value
            + " would let accepted tasks be lost or doubled. Leave it out: it is always "
            + accepted[0]
            + ".");
  }

  private static void atMost(Map<String, Object> all, String name) {
    long value = number(all, name);
    if (value < 0 || value > WAIT_MS_MAX) {
      throw new ConfigException(
          name
              + "="
              + value
              + " is outside of 0 to "
              + WAIT_MS_MAX
              + ": every submit must end in bounded time.");
    }
  }

  private static void refuse(Map<String, Object> all, String name) {
    if (all.containsKey(name)) {
      throw new ConfigException(name + " cannot be set for a task producer; leave it out.");
    }
  }

  private static long number(Map<String, Object> all, String name) {
    try {
      return Long.parseLong(String.valueOf(all.get(name)).trim());
    } catch (NumberFormatException e) {
      throw new ConfigException(name + "=" + all.get(name) + " is not a whole number.", e);
    }
  }
}
