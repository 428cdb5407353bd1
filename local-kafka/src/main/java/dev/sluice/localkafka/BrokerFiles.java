// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Folders and ports of local brokers. */
final class BrokerFiles {
  private BrokerFiles() {}

  static Path temporaryFolder() {
    try {
      return Files.createTempDirectory("sluice-kafka-");
    } catch (IOException e) {
      throw new UncheckedIOException("No temporary folder for the broker's data", e);
    }
  }

  static Path create(Path folder) {
    try {
      return Files.createDirectories(folder);
    } catch (IOException e) {
      throw new LocalKafkaException("The folder " + folder + " cannot be made: " + e, e);
    }
  }

  static void delete(Path folder) {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> found = Files.walk(folder)) {
      List<Path> all = found.sorted(Comparator.reverseOrder()).toList();
      for (Path path : all) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("The broker's folder " + folder + " cannot be deleted", e);
    }
  }

  /** Ports that are free now, all different. */
  static List<Integer> freePorts(int count) {
    ServerSocket[] sockets = new ServerSocket[count];
    try {
      List<Integer> ports = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        sockets[i] = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ports.add(sockets[i].getLocalPort());
      }
      return ports;
    } catch (IOException e) {
      throw new UncheckedIOException("No free port on the loopback address", e);
    } finally {
      for (ServerSocket socket : sockets) {
        if (socket != null) {
          try {
            socket.close();
          } catch (IOException e) {
            // It was only asked for its number.
          }
        }
      }
    }
  }

  /**
   * Does nothing where a port can be listened on.
   *
   * @throws LocalKafkaException if it is in use
   */
  static void requireFree(int port) {
    if (!isFree(port)) {
      throw new LocalKafkaException(
          "Port " + port + " is in use. Stop what listens there, or choose another port.");
    }
  }

  /** The name of a broker's folder in the folder of its cluster. */
  static String nameOf(int broker) {
    return "broker-" + broker;
  }

  /**
   * Does nothing where a folder is absent, empty, or was written by as many brokers.
   *
   * @throws LocalKafkaException if it is no folder, or written by another number of brokers: they
   *     would wait for each other
   */
  static void requireDataOf(int brokers, Path folder) {
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new LocalKafkaException(folder + " is a file; the data needs a folder of its own.");
    }
    int found = 0;
    while (Files.exists(folder.resolve(nameOf(found + 1)).resolve("meta.properties"))) {
      found++;
    }
    if (found != 0 && found != brokers) {
      throw new LocalKafkaException(
          "The folder "
              + folder
              + " holds the data of a cluster with brokers = "
              + found
              + ", not "
              + brokers
              + ". Start as many, or choose another folder.");
    }
  }

  /** Makes Kafka check the logs of this folder at the next start, as after a crash. */
  static void forgetCleanShutdown(Path folder) {
    Path marker = folder.resolve(".kafka_cleanshutdown");
    try {
      Files.deleteIfExists(marker);
    } catch (IOException e) {
      throw new UncheckedIOException(marker + " cannot be deleted", e);
    }
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }
}
