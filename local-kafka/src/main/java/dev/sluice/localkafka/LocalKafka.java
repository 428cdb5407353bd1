// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A real Kafka cluster (KRaft) of one to three brokers inside this JVM: ready in about two seconds.
 * What must be killed or measured runs as {@link KafkaProcess} instead. Thread-safe.
 */
public final class LocalKafka implements AutoCloseable {
  /** The same for all: a cluster of loopback addresses is never mixed up with another by its id. */
  static final String CLUSTER_ID = "4L6g3nShT-eMCtK--X86sw";

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

  /** Stops one broker in an orderly way; {@code broker} counts from 1. */
  public synchronized void stop(int broker) {
    brokers.get(broker - 1).stop();
  }

  /**
   * Stops one broker and starts it again on its data and ports.
   *
   * @throws LocalKafkaException if it does not come back within 60 s
   */
  public synchronized void restart(int broker) {
    brokers.get(broker - 1).stop();
    brokers.get(broker - 1).start();
    Readiness.await(bootstrap, running(), 60, () -> true);
  }

  private int running() {
    return (int) brokers.stream().filter(EmbeddedBroker::running).count();
  }

  /** Stops all brokers and deletes the data, unless a folder was given. */
  @Override
  public synchronized void close() {
    for (EmbeddedBroker broker : brokers) {
      broker.stop();
    }
    if (deleteFolder) {
      BrokerFiles.delete(folder);
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
      if (count < 1 || count > 3) {
        throw new IllegalArgumentException("brokers is " + count + "; it must be from 1 to 3");
      }
      brokers = count;
      return this;
    }

    /** The port of the first broker, the others follow; 0 chooses free ones. */
    public Builder port(int first) {
      if (first < 0 || first > 65_533) {
        throw new IllegalArgumentException("port is " + first + "; it must be from 0 to 65533");
      }
      port = first;
      return this;
    }

    /** Where the data lies and stays; without it, in a temporary folder that is deleted. */
    public Builder folder(Path kept) {
      folder = kept;
      return this;
    }

    /** A broker property of Kafka. */
    public Builder property(String name, String value) {
      properties.put(name, value);
      return this;
    }

    /**
     * Starts the brokers and waits until they answer.
     *
     * @throws LocalKafkaException if they do not within 60 s, or a port is in use
     */
    public LocalKafka start() {
      EmbeddedBroker.keepTheJvmAlive();
      Path given = folder;
      Path base = given == null ? BrokerFiles.temporaryFolder() : given.toAbsolutePath();
      int[] free = BrokerFiles.freePorts(2 * brokers);
      int[] ports = new int[brokers];
      int[] controllers = new int[brokers];
      List<String> addresses = new ArrayList<>();
      for (int i = 0; i < brokers; i++) {
        ports[i] = port == 0 ? free[i] : port + i;
        controllers[i] = free[brokers + i];
        addresses.add("localhost:" + ports[i]);
      }
      // Kept data remembers its voters by number only, so the controller ports may change.
      String clusterId = CLUSTER_ID;
      List<EmbeddedBroker> started = new ArrayList<>();
      LocalKafka cluster =
          new LocalKafka(started, String.join(",", addresses), base, given == null);
      try {
        for (int i = 0; i < brokers; i++) {
          BrokerConfig config =
              new BrokerConfig(
                  i + 1,
                  ports,
                  controllers,
                  base.resolve("broker-" + (i + 1)),
                  clusterId,
                  properties);
          started.add(new EmbeddedBroker(config));
        }
        startAll(started);
        Readiness.await(cluster.bootstrap, brokers, 60, () -> true);
        return cluster;
      } catch (RuntimeException e) {
        cluster.close();
        throw e;
      }
    }

    /** At once: a broker waits for the quorum, and so for the others. */
    private static void startAll(List<EmbeddedBroker> brokers) {
      List<Throwable> failures = new ArrayList<>();
      List<Thread> threads = new ArrayList<>();
      for (EmbeddedBroker broker : brokers) {
        Thread thread = new Thread(broker::start, "sluice-start-broker");
        thread.setUncaughtExceptionHandler(
            (t, e) -> {
              synchronized (failures) {
                failures.add(e);
              }
            });
        threads.add(thread);
        thread.start();
      }
      try {
        for (Thread thread : threads) {
          thread.join();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new LocalKafkaException("Interrupted while the brokers start", e);
      }
      synchronized (failures) {
        if (!failures.isEmpty()) {
          Throwable first = failures.get(0);
          throw first instanceof LocalKafkaException known
              ? known
              : new LocalKafkaException("A broker did not start: " + first, first);
        }
      }
    }
  }
}
