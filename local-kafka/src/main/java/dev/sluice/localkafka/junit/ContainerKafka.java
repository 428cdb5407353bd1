// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka.junit;

import java.nio.file.Files;
import java.nio.file.Path;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.utility.DockerImageName;

/** The broker in a container. */
public final class ContainerKafka {
  private static final String IMAGE = "apache/kafka:4.3.1";

  private ContainerKafka() {}

  /**
   * Whether a Docker engine answers. Where there is neither its socket nor an address of it, nobody
   * is asked: Testcontainers would log its stack traces.
   */
  public static boolean engineAnswers() {
    boolean addressed =
        System.getenv("DOCKER_HOST") != null || Files.exists(Path.of("/var/run/docker.sock"));
    return addressed && Testcontainers.answers();
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
      KafkaContainer container = new KafkaContainer(DockerImageName.parse(IMAGE));
      container.start();
      return new TestKafka(
          container.getBootstrapServers(),
          "Testcontainers with " + IMAGE + ", since a Docker engine answers",
          container::stop);
    }
  }
}
