// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A real Kafka cluster (KRaft) of one to three brokers inside this JVM: ready in about two seconds.
 * What must be killed or measured runs as {@link KafkaProcess} instead. Thread-safe.
 */
public final class LocalKafka implements AutoCloseable {
  private static final int START_SECONDS = 60;
  private static final int STOP_SECONDS = 30;

  private final List<EmbeddedBroker> brokers;
  private final String bootstrap;
  private final Path folder;
  private final boolean deleteFolder;

  private LocalKafka(
      List<EmbeddedBroker> brokers, String bootstrap, Path folder, boolean deleteFolder) {
    this.brokers = brokers;
    this.bootstrap = bootstrap;
    this.folder = folder;
    this.deleteFolder = deleteFolder;
  }

  /** Settings of a cluster to start. */
  public static Builder builder() {
    return new Builder();
  }

  /** One broker with all defaults, in a temporary folder. */
  public static LocalKafka start() {
    return builder().start();
  }

  /** For {@code bootstrap.servers}. */
  public String bootstrapServers() {
    return bootstrap;
  }

  /** Where the data lies: a folder per broker. */
  public Path folder() {
    return folder;
  }

  /**
   * Stops one broker in an orderly way: it hands the partitions it leads to the others, for which
   * it waits at most 10 s, and closes its files. Stopping twice is fine.
   *
   * @param broker which one, from 1
   */
  public synchronized void stop(int broker) {
    AllAtOnce.run("stop", List.of(broker(broker)), EmbeddedBroker::stop, STOP_SECONDS);
  }

  /**
   * Ends one broker as abruptly as a broker in this JVM can be ended: it hands nothing over and
   * does not sign off, so that the others notice it by its missing heartbeats ({@code
   * broker.session.timeout.ms}, here 2 s), and its next start checks its logs as after a crash.
   * What it had in memory still reaches the disk; where that must not be, kill a {@link
   * KafkaProcess}.
   *
   * @param broker which one, from 1
   */
  public synchronized void kill(int broker) {
    AllAtOnce.run("stop", List.of(broker(broker)), EmbeddedBroker::kill, STOP_SECONDS);
  }

  /**
   * Starts one broker again on its data and ports; one that is running is stopped before. More than
   * half of the brokers, this one included, must be running then.
   *
   * @param broker which one, from 1
   * @throws LocalKafkaException if it does not come back within 60 s
   */
  public synchronized void restart(int broker) {
    stop(broker);
    AllAtOnce.run("start", List.of(broker(broker)), EmbeddedBroker::start, START_SECONDS);
    Readiness.await(bootstrap, running(), START_SECONDS, () -> true);
  }

  private EmbeddedBroker broker(int number) {
    if (number < 1 || number > brokers.size()) {
      throw new IllegalArgumentException(
          "broker is " + number + "; it must be from 1 to " + brokers.size());
    }
    return brokers.get(number - 1);
  }

  private int running() {
    return (int) brokers.stream().filter(EmbeddedBroker::running).count();
  }

  /**
   * Stops all brokers, at most for 40 s, and deletes the data unless a folder was given; also where
   * the thread is interrupted. Closing twice is fine.
   *
   * @throws LocalKafkaException if a broker does not stop or the data cannot be deleted
   */
  @Override
  public synchronized void close() {
    // Of several, the last ones would have no quorum left to hand anything over to.
    Consumer<EmbeddedBroker> end =
        brokers.size() == 1 ? EmbeddedBroker::stop : EmbeddedBroker::stopAtOnce;
    boolean interrupted = Thread.interrupted();
    try {
      AllAtOnce.run(
          "stop", brokers.stream().filter(EmbeddedBroker::running).toList(), end, STOP_SECONDS);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      if (deleteFolder) {
        BrokerFiles.delete(folder);
      }
    }
  }

  /** Settings of a cluster. Not thread-safe. */
  public static final class Builder {
    private final Map<String, String> properties = new LinkedHashMap<>();
    private int brokers = 1;
    private int port;
    private @Nullable Path folder;

    private Builder() {}

    /** How many brokers: 1 to 3; three replicate all they hold. */
    public Builder brokers(int count) {
      brokers = BrokerPorts.checkedCount(count);
      return this;
    }

    /** The port of the first broker, the others follow; 0 chooses free ones. */
    public Builder port(int first) {
      port = BrokerPorts.checkedFirst(first);
      return this;
    }

    /** Where the data lies and stays; without it, in a temporary folder that is deleted. */
    public Builder folder(Path kept) {
      folder = kept;
      return this;
    }

    /** A broker property of Kafka; it replaces a default of this class, if there is one. */
    public Builder property(String name, String value) {
      properties.put(name, value);
      return this;
    }

    /**
     * Starts the brokers and waits until they answer.
     *
     * @throws LocalKafkaException if they do not within 60 s, or if a port is in use
     * @throws DataFolderException if the folder is a file or holds the data of another number of
     *     brokers
     * @throws IllegalArgumentException if the port of the last broker would be above 65535
     */
    public LocalKafka start() {
      BrokerPorts ports = BrokerPorts.choose(brokers, port);
      EmbeddedBroker.keepTheJvmAlive();
      Path given = folder;
      if (given != null) {
        BrokerFiles.requireDataOf(brokers, given);
      }
      Path base =
          given == null
              ? BrokerFiles.temporaryFolder()
              : BrokerFiles.create(given.toAbsolutePath());
      // Kept data remembers its voters by number only, so the controller ports may change.
      List<EmbeddedBroker> started = new ArrayList<>();
      LocalKafka cluster = new LocalKafka(started, ports.bootstrapServers(), base, given == null);
      try {
        for (int i = 1; i <= brokers; i++) {
          Path data = base.resolve(BrokerFiles.nameOf(i));
          started.add(new EmbeddedBroker(new BrokerConfig(i, ports, data, properties)));
        }
        AllAtOnce.run("start", started, EmbeddedBroker::start, START_SECONDS);
        Readiness.await(cluster.bootstrap, brokers, START_SECONDS, () -> true);
        return cluster;
      } catch (RuntimeException e) {
        try {
          cluster.close();
        } catch (LocalKafkaException second) {
          e.addSuppressed(second);
        }
        throw e;
      }
    }
  }
}
