// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.function.Consumer;
import kafka.server.BrokerServer;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;
import org.jspecify.annotations.Nullable;
import scala.Option;

/** One broker inside this JVM. For one thread after the other. */
final class EmbeddedBroker {
  /** Longest wait for the others to take over; without a quorum Kafka would wait 5 minutes. */
  private static final Duration HAND_OVER = Duration.ofSeconds(10);

  /** Long enough for Kafka to notice that it leaves; with no time at all it logs an error. */
  private static final Duration LEAVE = Duration.ofSeconds(2);

  private final BrokerConfig config;
  private volatile @Nullable KafkaRaftServer server;

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
    BrokerFiles.requireFree(config.ports().client(config.node()));
    BrokerFiles.requireFree(config.ports().controller(config.node()));
    BrokerFiles.requireUnused(config.folder());
    format(config.folder());
    KafkaRaftServer fresh = null;
    try {
      fresh =
          new KafkaRaftServer(
              KafkaConfig.fromProps(asProperties(config.properties())), Time.SYSTEM);
      fresh.startup();
    } catch (Exception e) { // Scala code throws checked exceptions that it does not declare
      if (fresh != null) {
        fresh.shutdown();
      }
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
          .setClusterId(BrokerConfig.CLUSTER_ID)
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

  /** Hands its partitions over, as far as there are others, and stops; stopping twice is fine. */
  void stop() {
    end(broker -> broker.shutdown(HAND_OVER));
  }

  /** Stops without handing anything over, and still closes its files in an orderly way. */
  void stopAtOnce() {
    end(EmbeddedBroker::leaveSilently);
  }

  /** Stops without a word to the others, and as if its files had never been closed. */
  void kill() {
    boolean wasRunning = running();
    end(EmbeddedBroker::leaveSilently);
    if (wasRunning) {
      BrokerFiles.forgetCleanShutdown(config.folder());
    }
  }

  private void end(Consumer<BrokerServer> first) {
    KafkaRaftServer running = server;
    server = null;
    if (running != null) {
      first.accept(brokerOf(running));
      running.shutdown();
      running.awaitShutdown();
    }
  }

  private static void leaveSilently(BrokerServer broker) {
    broker.lifecycleManager().beginShutdown();
    broker.shutdown(LEAVE);
  }

  /** Kafka keeps it to itself, and with it the only shutdown whose duration is bounded. */
  private static BrokerServer brokerOf(KafkaRaftServer server) {
    try {
      Method broker = KafkaRaftServer.class.getDeclaredMethod("broker");
      broker.setAccessible(true);
      return (BrokerServer) ((Option<?>) broker.invoke(server)).get();
    } catch (ReflectiveOperationException e) {
      throw new LocalKafkaException(
          "This version of Kafka cannot be stopped by Sluice: KafkaRaftServer.broker is gone", e);
    }
  }
}
