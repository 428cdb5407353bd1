// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.localkafka.junit.ContainerKafka;
import dev.sluice.localkafka.junit.KafkaExtension;
import dev.sluice.localkafka.junit.TestKafka;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(KafkaExtension.class)
class LocalKafkaIT {
  @Test
  void theExtensionGivesABrokerThatAnswers(TestKafka kafka) throws Exception {
    String topic = kafka.topic("extension", 1);
    send(kafka.bootstrapServers(), topic);
    assertThat(end(kafka.bootstrapServers(), topic)).isEqualTo(1);
  }

  @Test
  void theContainerIsUsedWhereAnEngineAnswers(TestKafka kafka) {
    assumeTrue(ContainerKafka.engineAnswers(), "no Docker engine answers on this machine");
    assertThat(kafka.kind()).contains("Testcontainers");
  }

  @Test
  void keepsItsDataThroughARestart() throws Exception {
    try (LocalKafka kafka = LocalKafka.start()) {
      create(kafka.bootstrapServers(), "kept", 1);
      send(kafka.bootstrapServers(), "kept");
      kafka.restart(1);
      assertThat(end(kafka.bootstrapServers(), "kept")).isEqualTo(1);
    }
  }

  @Test
  void aPortInUseIsAnErrorAndNotTheEndOfTheJvm() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(() -> LocalKafka.builder().port(taken.getLocalPort()).start())
          .isInstanceOf(LocalKafkaException.class)
          .hasMessageContaining("Port " + taken.getLocalPort() + " is in use");
    }
  }

  @Test
  void threeBrokersGoOnWhenOneIsStopped() throws Exception {
    try (LocalKafka kafka = LocalKafka.builder().brokers(3).start()) {
      create(kafka.bootstrapServers(), "replicated", 3);
      kafka.stop(2);
      send(kafka.bootstrapServers(), "replicated");
      kafka.restart(2);
      assertThat(end(kafka.bootstrapServers(), "replicated")).isEqualTo(1);
    }
  }

  @Test
  void aKilledProcessComesBackWithItsData() throws Exception {
    try (KafkaProcess kafka = KafkaProcess.start()) {
      create(kafka.bootstrapServers(), "kept", 1);
      send(kafka.bootstrapServers(), "kept");
      kafka.kill(1);
      kafka.restart(1);
      assertThat(end(kafka.bootstrapServers(), "kept")).isEqualTo(1);
    }
  }

  private static void create(String bootstrap, String topic, int replicas) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      admin
          .createTopics(List.of(new NewTopic(topic, 1, (short) replicas)))
          .all()
          .get(30, TimeUnit.SECONDS);
    }
  }

  private static void send(String bootstrap, String topic) throws Exception {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", bootstrap, "acks", "all"),
            new StringSerializer(),
            new StringSerializer())) {
      producer.send(new ProducerRecord<>(topic, "k", "v")).get(60, TimeUnit.SECONDS);
    }
  }

  private static long end(String bootstrap, String topic) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      TopicPartition partition = new TopicPartition(topic, 0);
      return admin
          .listOffsets(Map.of(partition, OffsetSpec.latest()))
          .partitionResult(partition)
          .get(60, TimeUnit.SECONDS)
          .offset();
    }
  }
}
