// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A real Kafka cluster of one to three brokers, each a process of its own that can be killed, stood
 * still and restarted. When this JVM ends, by a signal too, the processes end and a temporary
 * folder is deleted; after {@code kill -9} they end as soon as they notice, which one that stands
 * still does not. Thread-safe.
 */
public final class KafkaProcess implements AutoCloseable {
  private static final int READY_SECONDS = 60;

  private final List<BrokerProcess> brokers;
  private final String bootstrap;
  private final Path folder;
  private final boolean deleteFolder;
  private final Thread atExit = new Thread(this::end, "sluice-end-brokers");

  private KafkaProcess(
      List<BrokerProcess> brokers, String bootstrap, Path folder, boolean deleteFolder) {
    this.brokers = List.copyOf(brokers);
    this.bootstrap = bootstrap;
    this.folder = folder;
    this.deleteFolder = deleteFolder;
  }

  /** Settings of a cluster to start. */
  public static Builder builder() {
    return new Builder();
  }

  /** One broker with a heap of 256 MB, in a temporary folder. */
  public static KafkaProcess start() {
    return builder().start();
  }

  /**
   * Starts the brokers and waits until they answer.
   *
   * @param brokers how many: 1 to 3
   * @param properties broker properties of Kafka
   * @throws LocalKafkaException if they do not answer within 60 s; its text ends with their logs
   */
  public static KafkaProcess start(int brokers, Map<String, String> properties) {
    return start(brokers, properties, "256m");
  }

  /** As {@link #start(int, Map)}, with a heap size as {@code -Xmx} takes it. */
  public static KafkaProcess start(int brokers, Map<String, String> properties, String heap) {
    Builder builder = builder().brokers(brokers).heap(heap);
    properties.forEach(builder::property);
    return builder.start();
  }

  /** For {@code bootstrap.servers}. */
  public String bootstrapServers() {
    return bootstrap;
  }

  /** Where the data lies: a folder per broker, and the log of each beside it. */
  public Path folder() {
    return folder;
  }

  /**
   * Waits until all brokers answer that run and do not stand still.
   *
   * @throws LocalKafkaException after 60 s, or as soon as one ends; its text ends with their logs
   */
  public void awaitReady() {
    int expected = going();
    try {
      for (BrokerProcess broker : brokers) {
        // Each is asked by itself: the others may still list one that was killed a moment ago.
        if (broker.isGoing()) {
          Readiness.await(broker.address(), expected, READY_SECONDS, () -> going() >= expected);
        }
      }
    } catch (LocalKafkaException e) {
      StringBuilder text = new StringBuilder(String.valueOf(e.getMessage()));
      brokers.forEach(broker -> text.append('\n').append(broker.logTail()));
      throw new LocalKafkaException(text.toString(), e);
    }
  }

  private int going() {
    return (int) brokers.stream().filter(BrokerProcess::isGoing).count();
  }

  /** Ends one broker at once, as {@code kill -9} does; {@code broker} counts from 1. */
  public synchronized void kill(int broker) {
    broker(broker).kill();
    broker(broker).awaitEnd();
  }

  /**
   * Stops one broker in an orderly way, as SIGTERM does; {@code broker} counts from 1.
   *
   * @throws LocalKafkaException if it has not ended after 30 s; it is killed then
   */
  public synchronized void stop(int broker) {
    broker(broker).terminate();
    broker(broker).awaitEnd();
  }

  /**
   * Starts a broker that was killed or stopped, on its data and port, and waits for it. More than
   * half of the brokers, this one included, must be running then.
   *
   * @throws LocalKafkaException if it does not come back within 60 s; its text ends with the logs
   */
  public synchronized void restart(int broker) {
    if (broker(broker).isAlive()) {
      throw new IllegalStateException("Broker " + broker + " is running; kill or stop it first");
    }
    broker(broker).launch();
    awaitReady();
  }

  /** Lets one broker stand still, as {@code kill -STOP} does. */
  public synchronized void suspend(int broker) {
    broker(broker).suspend();
  }

  /** Lets a broker that stood still go on. */
  public synchronized void resume(int broker) {
    broker(broker).resume();
  }

  /** The process id of one broker. */
  public synchronized long pid(int broker) {
    return broker(broker).pid();
  }

  private BrokerProcess broker(int number) {
    if (number < 1 || number > brokers.size()) {
      throw new IllegalArgumentException(
          "broker is " + number + "; it must be from 1 to " + brokers.size());
    }
    return brokers.get(number - 1);
  }

  /**
   * Ends all brokers at once and deletes their data, unless a folder was given; also where the
   * thread is interrupted. Closing twice is fine.
   *
   * @throws LocalKafkaException if the data cannot be deleted
   */
  @Override
  public synchronized void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      // The JVM ends already; whoever is first does it.
    }
    end();
  }

  private void end() {
    brokers.forEach(BrokerProcess::kill);
    try {
      brokers.forEach(BrokerProcess::awaitEnd);
    } finally {
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
    private Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    private String heap = "256m";
    private boolean compiled;
    private String classPath = System.getProperty("java.class.path");

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

    /**
     * Where the folder is made that is deleted in the end; in {@code java.io.tmpdir} by default.
     */
    public Builder temporaryIn(Path parent) {
      temporary = parent;
      return this;
    }

    /** A broker property of Kafka; it replaces a default of Sluice, if there is one. */
    public Builder property(String name, String value) {
      properties.put(name, value);
      return this;
    }

    /** The largest heap of each broker, as {@code -Xmx} takes it; 256m by default. */
    public Builder heap(String most) {
      heap = most;
      return this;
    }

    /**
     * Lets the JVM of each broker compile with all that it can: that costs processor time in the
     * first minutes, and saves it from then on. By default it compiles quickly.
     */
    public Builder compiled(boolean fully) {
      compiled = fully;
      return this;
    }

    /** The class path of each broker, with this module in it; that of this JVM by default. */
    public Builder classPath(String path) {
      classPath = path;
      return this;
    }

    /**
     * Starts the brokers and waits until they answer.
     *
     * @throws LocalKafkaException if they do not within 60 s (its text ends with their logs), or if
     *     a port is in use
     * @throws DataFolderException if the folder is a file or holds the data of another number of
     *     brokers
     * @throws IllegalArgumentException if the port of the last broker would be above 65535
     */
    public KafkaProcess start() {
      BrokerPorts ports = BrokerPorts.choose(brokers, port);
      Path given = folder;
      if (given != null) {
        BrokerFiles.requireDataOf(brokers, given);
      }
      Path base =
          given == null
              ? BrokerFiles.temporaryFolder(temporary)
              : BrokerFiles.create(given.toAbsolutePath());
      List<BrokerProcess> processes = new ArrayList<>();
      for (int i = 1; i <= brokers; i++) {
        processes.add(new BrokerProcess(i, ports, base, properties, heap, compiled, classPath));
      }
      KafkaProcess cluster =
          new KafkaProcess(processes, ports.bootstrapServers(), base, given == null);
      try {
        Runtime.getRuntime().addShutdownHook(cluster.atExit);
        processes.forEach(BrokerProcess::launch);
        cluster.awaitReady();
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
