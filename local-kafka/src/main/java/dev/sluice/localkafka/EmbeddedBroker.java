// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;
import org.jspecify.annotations.Nullable;

/** One broker inside this JVM. Not thread-safe. */
final class EmbeddedBroker {
  private final BrokerConfig config;
  private @Nullable KafkaRaftServer server;

  EmbeddedBroker(BrokerConfig config) {
    this.config = config;
  }

  /** A broker that gives up calls exit or halt: in this JVM that becomes an exception. */
  static void keepTheJvmAlive() {
    Exit.setExitProcedure(EmbeddedBroker::refuse);
    Exit.setHaltProcedure(EmbeddedBroker::refuse);
  }

  private static void refuse(int status, @Nullable String message) {
    throw new LocalKafkaException(
        "The broker ended itself with status " + status + (message == null ? "" : ": " + message));
  }

  /**
   * Formats the folder where that was not done, and starts.
   *
   * @throws LocalKafkaException if it does not start
   */
  void start() {
    if (server != null) {
      throw new IllegalStateException("Broker " + config.node() + " is running");
    }
    for (int port :
        new int[] {
          config.ports()[config.node() - 1], config.controllerPorts()[config.node() - 1]
        }) {
      if (!BrokerFiles.isFree(port)) {
        throw new LocalKafkaException(
            "Port " + port + " is in use. Stop what listens there, or choose another port.");
      }
    }
    Map<String, String> properties = config.properties();
    format(Path.of(properties.getOrDefault("log.dirs", config.folder().toString())));
    KafkaRaftServer fresh =
        new KafkaRaftServer(KafkaConfig.fromProps(asProperties(properties)), Time.SYSTEM);
    try {
      fresh.startup();
    } catch (RuntimeException e) {
      fresh.shutdown();
      throw new LocalKafkaException(
          "Broker " + config.node() + " did not start: " + e.getMessage(), e);
    }
    server = fresh;
  }

  private static Properties asProperties(Map<String, String> map) {
    Properties properties = new Properties();
    properties.putAll(map);
    return properties;
  }

  private void format(Path folder) {
    if (Files.exists(folder.resolve("meta.properties"))) {
      return;
    }
    try {
      Files.createDirectories(folder);
      new Formatter()
          .setNodeId(config.node())
          .setClusterId(config.clusterId())
          .addDirectory(folder.toString())
          .setMetadataLogDirectory(folder.toString())
          .setControllerListenerName(BrokerConfig.CONTROLLER)
          .setReleaseVersion(MetadataVersion.latestProduction())
          .setPrintStream(
              new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
          .run();
    } catch (IOException e) {
      throw new LocalKafkaException(
          "The data folder " + folder + " cannot be written: " + e.getMessage(), e);
    } catch (Exception e) {
      throw new LocalKafkaException(
          "The data folder " + folder + " cannot be formatted: " + e.getMessage(), e);
    }
  }

  boolean running() {
    return server != null;
  }

  /** Stops in an orderly way; stopping twice is fine. */
  void stop() {
    KafkaRaftServer running = server;
    server = null;
    if (running != null) {
      running.shutdown();
      running.awaitShutdown();
    }
  }
}
