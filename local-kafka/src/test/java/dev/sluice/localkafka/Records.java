// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Writes and reads a few records. */
public final class Records {
  private Records() {}

  static void create(String bootstrap, String topic, int replicas) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      admin
          .createTopics(List.of(new NewTopic(topic, 1, (short) replicas)))
          .all()
          .get(30, TimeUnit.SECONDS);
    }
  }

  public static void send(String bootstrap, String topic, String value) throws Exception {
    send(bootstrap, topic, value, Duration.ofSeconds(60));
  }

  /** As above, with the longest wait for the topic. */
  static void send(String bootstrap, String topic, String value, Duration longest)
      throws Exception {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers",
                bootstrap,
                "acks",
                "all",
                "max.block.ms",
                Long.toString(longest.toMillis())),
            new StringSerializer(),
            new StringSerializer())) {
      producer.send(new ProducerRecord<>(topic, "k", value)).get(60, TimeUnit.SECONDS);
    }
  }

  /** The first records of partition 0, through a consumer group, so that its topic works too. */
  public static List<String> read(String bootstrap, String topic, int count) {
    Map<String, Object> config =
        Map.of(
            "bootstrap.servers",
            bootstrap,
            "group.id",
            "reads-" + topic,
            "auto.offset.reset",
            "earliest",
            "group.protocol",
            "consumer");
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(topic));
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (values.size() < count && System.nanoTime() - deadline < 0) {
        consumer
            .poll(Duration.ofMillis(200))
            .records(new TopicPartition(topic, 0))
            .forEach(record -> values.add(record.value()));
      }
    }
    return values;
  }
}
