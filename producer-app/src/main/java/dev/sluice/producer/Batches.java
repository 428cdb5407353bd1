// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.ConfigException;
import dev.sluice.SluiceException;
import dev.sluice.batch.kafka.BatchReader;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/** Opens batches. Thread-safe. */
final class Batches {
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9._:-]{1,200}");
  private static final int PARTITIONS = 12;
  private static final Duration ADMIN = Duration.ofSeconds(10);
  private static final String RETENTION_MILLIS = Long.toString(TimeUnit.DAYS.toMillis(7));
  private static final String TRANSACTION_MILLIS = "30000";

  private final KafkaSettings kafka;
  private final FleetDefinition fleet;
  private final Clock clock;

  Batches(KafkaSettings kafka, FleetDefinition fleet, Clock clock) {
    this.kafka = kafka;
    this.fleet = fleet;
    this.clock = clock;
  }

  Batch open(String name, Batch.Source source) {
    check(name);
    try (Topics topics = new Topics(kafka, ADMIN)) {
      topics.ensure(
          Map.of(fleet.batchesTopic(), PARTITIONS),
          (short) fleet.replicationFactor(),
          Map.of("retention.ms", RETENTION_MILLIS));
    }
    Map<String, Object> properties = kafka.producer();
    properties.put("transactional.id", "sluice-batch-" + name);
    properties.put("transaction.timeout.ms", TRANSACTION_MILLIS);
    properties.put("delivery.timeout.ms", "20000");
    properties.put("request.timeout.ms", "10000");
    properties.put("max.block.ms", "20000");
    properties.put("linger.ms", "5");
    KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties);
    BatchReader reader = null;
    try {
      // Whoever had it open cannot add any more, and what it had not committed is undone.
      producer.initTransactions();
      reader = reader(name);
      return new Batch(name, fleet.batchesTopic(), producer, reader, source, clock);
    } catch (KafkaException e) {
      close(producer, reader);
      throw new SluiceException("Batch " + name + " cannot be opened: " + e.getMessage(), e);
    } catch (RuntimeException e) {
      close(producer, reader);
      throw e;
    }
  }

  private static void close(KafkaProducer<byte[], byte[]> producer, @Nullable BatchReader reader) {
    producer.close(Duration.ZERO);
    if (reader != null) {
      reader.close();
    }
  }

  BatchReader reader(String name) {
    check(name);
    return new BatchReader(kafka, fleet.batchesTopic(), name, clock);
  }

  private static void check(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new ConfigException(
          "A batch has 1 to 200 of a-z, A-Z, 0-9, '.', '_', ':' and '-' as its name, and not '"
              + name
              + "'");
    }
  }
}
