// SPDX-License-Identifier: Apache-2.0
package dev.sluice.cli;

import dev.sluice.ConfigException;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.queue.SluiceConfig;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the brokers are and how to speak to them, in the words of Kafka's own commands. */
public final class ConnectionOptions {
  @Option(
      names = {"-b", "--bootstrap-server"},
      paramLabel = "HOST:PORT",
      description =
          "The brokers. Default: SLUICE_BOOTSTRAP_SERVERS, the configuration, or localhost:9092.")
  private @Nullable String bootstrapServer;

  @Option(
      names = "--command-config",
      paramLabel = "FILE",
      description = "Properties for the Kafka clients (security, time-outs, ...).")
  private @Nullable Path commandConfig;

  @Option(
      names = "--command-property",
      paramLabel = "K=V",
      description = "One property for the Kafka clients; wins over the file. May be repeated.")
  private Map<String, String> commandProperties = new HashMap<>();

  @Option(
      names = "--config",
      paramLabel = "sluice.yaml",
      description = "Definitions of queues; SLUICE_* variables override it.")
  private @Nullable Path config;

  @Option(
      names = {"-v", "--verbose"},
      description = "Log what happens, and stack traces of errors, to standard error.")
  private boolean verbose;

  /** The configuration, with the environment over it. */
  public SluiceConfig config() {
    Map<String, String> environment = System.getenv();
    return config == null
        ? SluiceConfig.parse("the environment", "", environment)
        : SluiceConfig.read(config, environment);
  }

  /**
   * The settings of the Kafka clients: flag, then property, then file, then configuration.
   *
   * @throws ConfigException if the file cannot be read
   */
  public KafkaSettings kafka(SluiceConfig configuration) {
    Map<String, String> properties = new HashMap<>(configuration.kafka());
    if (commandConfig != null) {
      properties.putAll(KafkaSettings.file(commandConfig));
    }
    properties.putAll(commandProperties);
    String brokers = bootstrapServer;
    if (brokers == null) {
      brokers = properties.get("bootstrap.servers");
    }
    if (brokers == null) {
      brokers = configuration.bootstrapServers().orElse("localhost:9092");
    }
    return KafkaSettings.of(brokers, properties);
  }

  /** Whether to say more. */
  public boolean verbose() {
    return verbose;
  }
}
