// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One broker in a process of its own, which logs to a file beside its data. Not thread-safe. */
final class BrokerProcess {
  private static final int END_SECONDS = 30;
  private static final int LOG_TAIL_BYTES = 4_000;

  private final int node;
  private final BrokerPorts ports;
  private final Path folder;
  private final Map<String, String> properties;
  private final String heap;
  private final boolean compiled;
  private final String classPath;
  private volatile @Nullable Process process;
  private volatile boolean suspended;

  BrokerProcess(
      int node,
      BrokerPorts ports,
      Path folder,
      Map<String, String> properties,
      String heap,
      boolean compiled,
      String classPath) {
    this.node = node;
    this.ports = ports;
    this.folder = folder;
    this.properties = Map.copyOf(properties);
    this.heap = heap;
    this.compiled = compiled;
    this.classPath = classPath;
  }

  String address() {
    return "localhost:" + ports.client(node);
  }

  /** Starts the process, and does not wait for the broker in it. */
  void launch() {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx" + heap, "-XX:+UseSerialGC"));
    if (!compiled) {
      command.add("-XX:TieredStopAtLevel=1");
    }
    command.addAll(List.of("-cp", classPath, BrokerMain.class.getName()));
    command.add(Integer.toString(node));
    command.add(joined(ports.clients()));
    command.add(joined(ports.controllers()));
    command.add(folder.resolve(BrokerFiles.nameOf(node)).toString());
    properties.forEach((name, value) -> command.add(name + "=" + value));
    suspended = false;
    try {
      // Its standard input stays open as long as this JVM lives: that is how it learns of our end.
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
              .start();
    } catch (IOException e) {
      throw new LocalKafkaException(
          "The process of broker " + node + " cannot be started: " + e.getMessage(), e);
    }
  }

  private static String joined(List<Integer> numbers) {
    return numbers.stream().map(String::valueOf).collect(Collectors.joining(","));
  }

  private Path log() {
    return folder.resolve(BrokerFiles.nameOf(node) + ".log");
  }

  boolean isAlive() {
    Process launched = process;
    return launched != null && launched.isAlive();
  }

  long pid() {
    return launched().pid();
  }

  void kill() {
    Process launched = process;
    if (launched != null) {
      launched.destroyForcibly();
    }
  }

  void terminate() {
    launched().destroy();
  }

  void suspend() {
    signal("-STOP");
    suspended = true;
  }

  void resume() {
    signal("-CONT");
    suspended = false;
  }

  /** Whether it can answer: it runs, and does not stand still. */
  boolean isGoing() {
    return isAlive() && !suspended;
  }

  private void signal(String name) {
    if (!isAlive()) {
      throw new IllegalStateException("Broker " + node + " is not running; restart it first");
    }
    try {
      Process kill = new ProcessBuilder("kill", name, Long.toString(pid())).start();
      awaitEnd(kill);
      if (kill.exitValue() != 0) {
        throw new LocalKafkaException(
            "kill " + name + " " + pid() + " of broker " + node + " exited " + kill.exitValue());
      }
    } catch (IOException e) {
      throw new LocalKafkaException(
          "Broker " + node + " cannot be sent " + name + ", since kill cannot be run: " + e, e);
    }
  }

  /**
   * Waits until it has ended, if it was ever started; also where the thread is interrupted.
   *
   * @throws LocalKafkaException if it has not ended after 30 s; it is killed then
   */
  void awaitEnd() {
    Process launched = process;
    if (launched != null) {
      awaitEnd(launched);
    }
  }

  private static void awaitEnd(Process process) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
    Uninterrupted.run(() -> process.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS));
    if (process.isAlive()) {
      process.destroyForcibly();
      throw new LocalKafkaException(
          "Process " + process.pid() + " did not end within " + END_SECONDS + " s and was killed");
    }
  }

  private Process launched() {
    Process launched = process;
    if (launched == null) {
      throw new IllegalStateException("Broker " + node + " was never started");
    }
    return launched;
  }

  /** The last lines of its log, for people. */
  String logTail() {
    String text;
    try (RandomAccessFile file = new RandomAccessFile(log().toFile(), "r")) {
      byte[] tail = new byte[(int) Math.min(LOG_TAIL_BYTES, file.length())];
      file.seek(file.length() - tail.length);
      file.readFully(tail);
      text = new String(tail, StandardCharsets.UTF_8);
    } catch (IOException e) {
      text = "(its log cannot be read: " + e.getMessage() + ")";
    }
    Process launched = process;
    String state =
        launched == null || launched.isAlive() ? "" : " (exit " + launched.exitValue() + ")";
    return "broker " + node + state + ": " + text;
  }
}
