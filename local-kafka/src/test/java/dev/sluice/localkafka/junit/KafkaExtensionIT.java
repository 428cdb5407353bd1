// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.localkafka.Records;
import org.junit.jupiter.api.Test;

@KafkaBroker
class KafkaExtensionIT {
  private final TestKafka kafka;

  KafkaExtensionIT(TestKafka kafka) {
    this.kafka = kafka;
  }

  @Test
  void givesABrokerThatAnswers() throws Exception {
    String topic = kafka.topic("extension", 1);
    Records.send(kafka.bootstrapServers(), topic, "v");
    assertThat(Records.read(kafka.bootstrapServers(), topic, 1)).containsExactly("v");
  }

  @Test
  void givesAllTestsTheSameBroker(TestKafka again) {
    assertThat(again).isSameAs(kafka);
  }

  @Test
  void createsATopicOnce() {
    String topic = kafka.unique("once");
    kafka.createTopic(topic, 2);
    assertThatThrownBy(() -> kafka.createTopic(topic, 2)).hasMessageContaining(topic);
  }

  @Test
  void runsInThisJvmWhereNoEngineAnswers() {
    assumeTrue(!ContainerKafka.engineAnswers(), "a Docker engine answers on this machine");
    assertThat(kafka.kind()).contains("in this JVM, since");
    assertThat(kafka.local()).isPresent();
  }

  @Test
  void runsInAContainerWhereAnEngineAnswers() {
    assumeTrue(ContainerKafka.engineAnswers(), "no Docker engine answers on this machine");
    assertThat(kafka.kind()).contains("Testcontainers");
    assertThat(kafka.local()).isEmpty();
  }
}
