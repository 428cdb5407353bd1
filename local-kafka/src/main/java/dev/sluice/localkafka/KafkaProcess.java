// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A real Kafka cluster of one to three brokers, each a process of its own that can be killed, stood
 * still and restarted. The processes end with this JVM. Thread-safe.
 */
public final class KafkaProcess implements AutoCloseable {
  private static final int READY_SECONDS = 60;
  private static final int LOG_TAIL_BYTES = 4_000;

  private final int[] ports;
  private final int[] controllerPorts;
  private final Path folder;
  private final Map<String, String> properties;
  private final String heap;
  private final Process[] processes;

  private KafkaProcess(int brokers, Map<String, String> properties, String heap) {
    int[] free = BrokerFiles.freePorts(2 * brokers);
    this.ports = Arrays.copyOf(free, brokers);
    this.controllerPorts = Arrays.copyOfRange(free, brokers, 2 * brokers);
    this.folder = BrokerFiles.temporaryFolder();
    this.properties = Map.copyOf(properties);
    this.heap = heap;
    this.processes = new Process[brokers];
  }

  /** One broker with a heap of 256 MB. */
  public static KafkaProcess start() {
    return start(1, Map.of());
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
    KafkaProcess cluster = new KafkaProcess(brokers, new LinkedHashMap<>(properties), heap);
    try {
      for (int i = 1; i <= brokers; i++) {
        cluster.launch(i);
      }
      cluster.awaitReady();
      return cluster;
    } catch (RuntimeException e) {
      cluster.close();
      throw e;
    }
  }

  /** For {@code bootstrap.servers}. */
  public String bootstrapServers() {
    List<String> addresses = new ArrayList<>();
    for (int port : ports) {
      addresses.add("localhost:" + port);
    }
    return String.join(",", addresses);
  }

  private void launch(int broker) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx" + heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(BrokerMain.class.getName());
    command.add(Integer.toString(broker));
    command.add(joined(ports));
    command.add(joined(controllerPorts));
    command.add(folder.resolve("broker-" + broker).toString());
    properties.forEach((name, value) -> command.add(name + "=" + value));
    try {
      processes[broker - 1] =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log(broker).toFile()))
              .start();
    } catch (IOException e) {
      throw new LocalKafkaException("The broker's process cannot be started: " + e.getMessage(), e);
    }
  }

  private static String joined(int[] numbers) {
    StringBuilder text = new StringBuilder();
    for (int number : numbers) {
      text.append(text.isEmpty() ? "" : ",").append(number);
    }
    return text.toString();
  }

  private Path log(int broker) {
    return folder.resolve("broker-" + broker + ".log");
  }

  /** Waits until all brokers that are running answer. */
  public void awaitReady() {
    int running = 0;
    for (Process process : processes) {
      running += process != null && process.isAlive() ? 1 : 0;
    }
    int expected = running;
    try {
      Readiness.await(bootstrapServers(), expected, READY_SECONDS, () -> alive() >= expected);
    } catch (LocalKafkaException e) {
      throw new LocalKafkaException(e.getMessage() + "\n" + logTails(), e);
    }
  }

  private int alive() {
    int alive = 0;
    for (Process process : processes) {
      alive += process != null && process.isAlive() ? 1 : 0;
    }
    return alive;
  }

  private String logTails() {
    StringBuilder tails = new StringBuilder();
    for (int i = 1; i <= processes.length; i++) {
      try {
        String log = Files.readString(log(i));
        tails.append("broker ").append(i).append(": ");
        tails.append(log.substring(Math.max(0, log.length() - LOG_TAIL_BYTES))).append('\n');
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return tails.toString();
  }

  /** Ends one broker at once, as {@code kill -9} does; {@code broker} counts from 1. */
  public synchronized void kill(int broker) {
    Process process = process(broker);
    process.destroyForcibly();
    awaitExit(process);
  }

  /** Stops one broker in an orderly way. */
  public synchronized void stop(int broker) {
    Process process = process(broker);
    process.destroy();
    awaitExit(process);
  }

  /** Starts a broker that was killed or stopped, on its data and port, and waits for it. */
  public synchronized void restart(int broker) {
    if (process(broker).isAlive()) {
      throw new IllegalStateException("Broker " + broker + " is running; kill or stop it first");
    }
    launch(broker);
    awaitReady();
  }

  /** Lets one broker stand still, as {@code kill -STOP} does. */
  public synchronized void suspend(int broker) {
    signal(broker, "-STOP");
  }

  /** Lets a broker that stood still go on. */
  public synchronized void resume(int broker) {
    signal(broker, "-CONT");
  }

  /** The process id of one broker. */
  public synchronized long pid(int broker) {
    return process(broker).pid();
  }

  private void signal(int broker, String signal) {
    try {
      awaitExit(new ProcessBuilder("kill", signal, Long.toString(process(broker).pid())).start());
    } catch (IOException e) {
      throw new LocalKafkaException("No signal can be sent to broker " + broker, e);
    }
  }

  private Process process(int broker) {
    Process process = processes[broker - 1];
    if (process == null) {
      throw new IllegalStateException("Broker " + broker + " was never started");
    }
    return process;
  }

  private static void awaitExit(Process process) {
    try {
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new LocalKafkaException("Process " + process.pid() + " did not end within 30 s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LocalKafkaException("Interrupted while a broker ends", e);
    }
  }

  /** Ends all brokers and deletes their data. */
  @Override
  public synchronized void close() {
    for (@Nullable Process process : processes) {
      if (process != null) {
        process.destroyForcibly();
        awaitExit(process);
      }
    }
    BrokerFiles.delete(folder);
  }
}
