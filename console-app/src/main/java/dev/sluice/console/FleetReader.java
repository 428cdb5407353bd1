// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console;

import dev.sluice.SluiceException;
import dev.sluice.fleet.CancelWish;
import dev.sluice.fleet.FleetSettings;
import dev.sluice.fleet.GrantBatch;
import dev.sluice.fleet.OperatorSetting;
import dev.sluice.fleet.Report;
import dev.sluice.fleet.kafka.ControlTopics;
import dev.sluice.fleet.kafka.SettingsRecords;
import dev.sluice.fleet.wire.ControlCodec;
import dev.sluice.fleet.wire.ControlRecord;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** Reads the control topics to their present end, and writes settings. For one thread. */
public final class FleetReader {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(100);

  private final KafkaSettings kafka;
  private final FleetDefinition fleet;
  private final Clock clock;

  /** A reader of the fleet on these brokers. */
  public FleetReader(KafkaSettings kafka, FleetDefinition fleet, Clock clock) {
    this.kafka = kafka;
    this.fleet = fleet;
    this.clock = clock;
  }

  /**
   * What the topics say now.
   *
   * @return empty if there is no fleet
   * @throws dev.sluice.kafka.BrokerUnavailableException if no broker answers
   */
  public Optional<FleetPicture> read() {
    ControlTopics.Found found;
    try (ControlTopics topics = new ControlTopics(kafka, fleet, TIMEOUT)) {
      found = topics.find();
    }
    if (found == null) {
      return Optional.empty();
    }
    List<TopicPartition> all = new ArrayList<>();
    TopicPartition settingsId = new TopicPartition(fleet.settingsTopic(), 0);
    all.add(settingsId);
    for (int i = 0; i < found.reportsPartitions(); i++) {
      all.add(new TopicPartition(fleet.reportsTopic(), i));
    }
    all.add(new TopicPartition(fleet.grantsTopic(), 0));
    return Optional.of(read(all));
  }

  private FleetPicture read(List<TopicPartition> all) {
    FleetSettings settings = FleetSettings.EMPTY;
    Map<String, Report> reports = new HashMap<>();
    Map<String, Long> ages = new HashMap<>();
    GrantBatch coordinator = null;
    long coordinatorAt = 0;
    Map<String, Object> properties = kafka.admin();
    properties.put("key.deserializer", ByteArrayDeserializer.class);
    properties.put("value.deserializer", ByteArrayDeserializer.class);
    properties.put("enable.auto.commit", "false");
    properties.put("auto.offset.reset", "earliest");
    properties.put("fetch.max.wait.ms", "50");
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
      consumer.assign(all);
      consumer.seekToBeginning(all);
      Map<TopicPartition, Long> ends = new HashMap<>(consumer.endOffsets(all, TIMEOUT));
      long begun = clock.nanos();
      while (!ends.isEmpty() && clock.nanos() - begun < TIMEOUT.toNanos()) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          if (record.topic().equals(fleet.settingsTopic())) {
            FleetSettings next =
                SettingsRecords.apply(settings, record.key(), record.value(), clock.epochMillis());
            settings = next == null ? settings : next;
            continue;
          }
          ControlRecord read = record.value() == null ? null : ControlCodec.read(record.value());
          if (read instanceof ControlRecord.OfReport report) {
            take(report.report(), record.timestamp(), reports, ages);
          } else if (read instanceof ControlRecord.OfGrants grants) {
            coordinator = grants.batch();
            coordinatorAt = record.timestamp();
          }
        }
        ends.entrySet().removeIf(end -> consumer.position(end.getKey()) >= end.getValue());
      }
    }
    return new FleetPicture(
        settings,
        List.copyOf(reports.values()),
        ages,
        Optional.ofNullable(coordinator),
        clock.epochMillis() - coordinatorAt);
  }

  private void take(
      Report report, long atMillis, Map<String, Report> reports, Map<String, Long> ages) {
    long age = Math.max(0, clock.epochMillis() - atMillis);
    if (report.leaving() || age > FleetPicture.GONE_MILLIS) {
      reports.remove(report.incarnation());
      ages.remove(report.incarnation());
    } else {
      reports.put(report.incarnation(), report);
      ages.put(report.incarnation(), age);
    }
  }

  /**
   * Sets something for a queue; every process follows within seconds. Creates the control topics if
   * there are none.
   */
  public void set(OperatorSetting setting) {
    write(
        SettingsRecords.operatorKey(setting.queue(), setting.what()), ControlCodec.write(setting));
  }

  /** Takes a setting back. */
  public void clear(String queue, OperatorSetting.What what) {
    write(SettingsRecords.operatorKey(queue, what), null);
  }

  /** Asks for a task not to be run; the answer is found in the settings some time later. */
  public void cancel(CancelWish wish) {
    write(SettingsRecords.cancelKey(wish.id()), ControlCodec.write(wish));
  }

  private void write(byte[] key, byte @Nullable [] value) {
    try (ControlTopics topics = new ControlTopics(kafka, fleet, TIMEOUT)) {
      ControlTopics.Found ignored = topics.ensure(0);
    }
    Map<String, Object> properties = kafka.producer();
    properties.put("max.block.ms", Long.toString(TIMEOUT.toMillis()));
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties)) {
      RecordMetadata ignored =
          producer
              .send(new ProducerRecord<>(fleet.settingsTopic(), 0, key, value))
              .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new SluiceException("The setting could not be written: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SluiceException("Interrupted while writing a setting", e);
    }
  }
}
