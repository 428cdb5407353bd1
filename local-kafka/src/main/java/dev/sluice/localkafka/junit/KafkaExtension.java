// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka.junit;

import dev.sluice.localkafka.LocalKafka;
import java.util.Optional;
import org.apache.kafka.common.utils.AppInfoParser;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives tests a {@link TestKafka}: one broker for all tests of a JVM, a container where a Docker
 * engine answers, else one in this JVM. It prints which it chose. {@link KafkaBroker} is the short
 * form.
 */
public final class KafkaExtension implements ParameterResolver {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(KafkaExtension.class);

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == TestKafka.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return context
        .getRoot()
        .getStore(NAMESPACE)
        .getOrComputeIfAbsent(TestKafka.class, key -> new Held(choose()), Held.class)
        .kafka();
  }

  /** Closed by JUnit after the last test. */
  private record Held(TestKafka kafka) implements AutoCloseable {
    @Override
    public void close() {
      kafka.close();
    }
  }

  @SuppressWarnings("SystemOut") // a person who reads a test run wants to know
  private static TestKafka choose() {
    Optional<String> against = ContainerKafka.reasonAgainst();
    TestKafka kafka = against.isEmpty() ? ContainerKafka.start() : inThisJvm(against.get());
    System.out.println("Kafka for tests: " + kafka.kind() + " at " + kafka.bootstrapServers());
    return kafka;
  }

  private static TestKafka inThisJvm(String reason) {
    return TestKafka.inThisJvm(
        LocalKafka.start(),
        "Kafka " + AppInfoParser.getVersion() + " in this JVM, since " + reason);
  }
}
