// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.clients;

import dev.sluice.benchmarks.subject.Options;
import dev.sluice.benchmarks.subject.Subject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Share consumers (KIP-932), {@code members} of them with a thread each; {@code mode} is {@code
 * implicit} or {@code explicit} acknowledgement. They keep no order.
 */
public final class ShareLoop {
  private ShareLoop() {}

  /** Runs until its tasks are done. */
  public static void main(String[] args) throws InterruptedException, ExecutionException {
    Options options = Options.of(args);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", options.bootstrap()))) {
      ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, options.group());
      AlterConfigOp earliest =
          new AlterConfigOp(
              new ConfigEntry("share.auto.offset.reset", "earliest"), AlterConfigOp.OpType.SET);
      admin.incrementalAlterConfigs(Map.of(group, List.of(earliest))).all().get();
    }
    Subject subject = new Subject(options);
    for (int i = 0; i < options.integer("members", 4); i++) {
      Thread member = new Thread(() -> consume(options, subject), "share-" + i);
      member.start();
    }
  }

  private static void consume(Options options, Subject subject) {
    boolean explicit = options.text("mode", "implicit").equals("explicit");
    Map<String, Object> properties =
        Map.of(
            "bootstrap.servers", options.bootstrap(),
            "group.id", options.group(),
            "max.poll.records", options.integer("poll", 500),
            "share.acknowledgement.mode", explicit ? "explicit" : "implicit");
    try (KafkaShareConsumer<byte[], byte[]> consumer =
        new KafkaShareConsumer<>(
            properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(options.topic()));
      while (true) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
          subject.task(record.partition(), record.offset(), record.key(), record.value());
          if (explicit) {
            consumer.acknowledge(record, AcknowledgeType.ACCEPT);
          }
        }
        if (explicit) {
          consumer.commitAsync();
        }
      }
    }
  }
}
