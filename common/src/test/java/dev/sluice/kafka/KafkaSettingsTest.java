// SPDX-License-Identifier: Apache-2.0
package dev.sluice.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.ConfigException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KafkaSettingsTest {
  private static KafkaSettings with(String name, String value) {
    return KafkaSettings.of("h:1", Map.of(name, value));
  }

  @Test
  void secretsAreHiddenAndPassedOn() {
    for (String name :
        new String[] {
          "ssl.keystore.password",
          "ssl.key.password",
          "ssl.keystore.key",
          "sasl.jaas.config",
          "sasl.oauthbearer.client.credentials.client.secret",
          "SSL.TRUSTSTORE.PASSWORD"
        }) {
      KafkaSettings settings = with(name, "hunter2");
      assertThat(settings.toString()).contains(name).doesNotContain("hunter2");
      assertThat(settings.producer()).containsEntry(name, "hunter2");
    }
    assertThat(with("client.id", "me").toString()).contains("client.id=me");
  }

  @Test
  void whatContradictsAPromiseIsRefusedByItsName() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> with("acks", "1").producer())
        .withMessageContaining("acks is '1'");
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> with("enable.idempotence", "false").producer());
    for (Map.Entry<String, String> wrong :
        Map.of(
                "enable.auto.commit", "true",
                "auto.offset.reset", "latest",
                "group.id", "other")
            .entrySet()) {
      assertThatExceptionOfType(ConfigException.class)
          .isThrownBy(() -> with(wrong.getKey(), wrong.getValue()).consumer("g"))
          .withMessageContaining(wrong.getKey());
    }
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(
            () ->
                KafkaSettings.of(
                        "h:1", Map.of("group.protocol", "consumer", "session.timeout.ms", "6000"))
                    .consumer("g"))
        .withMessageContaining("session.timeout.ms")
        .withMessageContaining("group.protocol=consumer");
  }

  @Test
  void whatAgreesWithThePromisesIsAccepted() {
    assertThat(with("acks", "-1").producer()).containsEntry("acks", "all");
    Map<String, Object> consumer = with("group.id", "g").consumer("g");
    assertThat(consumer)
        .containsEntry("group.id", "g")
        .containsEntry("enable.auto.commit", "false")
        .containsEntry("isolation.level", "read_committed")
        .containsKey("partition.assignment.strategy");
    assertThat(with("group.protocol", "consumer").consumer("g"))
        .doesNotContainKey("partition.assignment.strategy");
  }

  @Test
  void everyOtherPropertyPassesThroughAndTheFlagWins() {
    KafkaSettings settings =
        KafkaSettings.of(
            "flag:1", Map.of("bootstrap.servers", "file:2", "security.protocol", "SASL_SSL"));
    assertThat(settings.bootstrapServers()).isEqualTo("flag:1");
    assertThat(settings.admin())
        .containsEntry("bootstrap.servers", "flag:1")
        .containsEntry("security.protocol", "SASL_SSL");
  }

  @Test
  void propertiesAreReadFromAFile(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("client.properties"), "a.b=c\n# no\n");
    assertThat(KafkaSettings.file(file)).containsExactly(Map.entry("a.b", "c"));
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> KafkaSettings.file(folder.resolve("missing")))
        .withMessageContaining("missing");
  }
}
