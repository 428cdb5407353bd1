// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka.junit;

import java.nio.file.Path;
import java.util.Optional;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.utility.DockerImageName;

/** The broker in a container. */
final class ContainerKafka {
  private static final String IMAGE = "apache/kafka:4.3.1";

  private ContainerKafka() {}

  /** Whether tests get a broker in a container. */
  static boolean engineAnswers() {
    return reasonAgainst().isEmpty();
  }

  /** Why there can be no container; empty where there can. */
  static Optional<String> reasonAgainst() {
    Path system = Path.of("/var/run/docker.sock");
    if (!DockerProbe.answers(System.getenv(), system, Path.of(System.getProperty("user.home")))) {
      return Optional.of("no Docker engine answers");
    }
    try {
      return Testcontainers.answers()
          ? Optional.empty()
          : Optional.of("Testcontainers finds no Docker engine it can use");
    } catch (NoClassDefFoundError e) {
      return Optional.of("Testcontainers is not on the class path");
    }
  }

  static TestKafka start() {
    return Testcontainers.start();
  }

  /** Loaded only where it is needed, so that tests without Docker need no Testcontainers. */
  private static final class Testcontainers {
    static boolean answers() {
      return DockerClientFactory.instance().isDockerAvailable();
    }

    @SuppressWarnings("resource") // closed with the TestKafka
    static TestKafka start() {
      KafkaContainer container =
          new KafkaContainer(DockerImageName.parse(IMAGE))
              // As the broker in this JVM: a test must not see which of the two it has.
              .withEnv("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
              .withEnv("KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR", "1")
              .withEnv("KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR", "1");
      container.start();
      return TestKafka.elsewhere(
          container.getBootstrapServers(),
          "Testcontainers with " + IMAGE + ", since a Docker engine answers",
          container::stop);
    }
  }
}
