// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileVisitResult;
import java.nio.file.FileVisitor;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Folders and ports of local brokers. */
final class BrokerFiles {
  /** Of a folder's name; the process that made it follows, to tell whose it is. */
  static final String TEMPORARY_PREFIX = "sluice-kafka-";

  private static final int LOWEST = 12_000;

  /** Linux gives connections ports from 32,768 on, others from 49,152. */
  private static final int HIGHEST = 32_000;

  private static final int TRIES = 1_000;

  /** Files that vanish meanwhile are fine: a broker that was ended may have been renaming some. */
  private static final FileVisitor<Path> DELETING =
      new SimpleFileVisitor<>() {
        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
            throws IOException {
          Files.deleteIfExists(file);
          return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
          if (e instanceof NoSuchFileException) {
            return FileVisitResult.CONTINUE;
          }
          throw e;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e)
            throws IOException {
          if (e != null) {
            throw e;
          }
          Files.deleteIfExists(folder);
          return FileVisitResult.CONTINUE;
        }
      };

  private BrokerFiles() {}

  static Path temporaryFolder() {
    return temporaryFolder(Path.of(System.getProperty("java.io.tmpdir")));
  }

  static Path temporaryFolder(Path parent) {
    try {
      return Files.createTempDirectory(
          parent, TEMPORARY_PREFIX + ProcessHandle.current().pid() + "-");
    } catch (IOException e) {
      throw new LocalKafkaException(
          "No folder for the data can be made in "
              + parent
              + " ("
              + e
              + "). Give a folder, or another java.io.tmpdir.",
          e);
    }
  }

  static Path create(Path folder) {
    try {
      return Files.createDirectories(folder);
    } catch (IOException e) {
      throw new LocalKafkaException(
          "The folder " + folder + " cannot be made (" + e + "). Choose one that can be written.",
          e);
    }
  }

  static void delete(Path folder) {
    try {
      Files.walkFileTree(folder, DELETING);
    } catch (IOException e) {
      throw new LocalKafkaException(
          "The folder of the data, "
              + folder
              + ", cannot be deleted ("
              + e
              + "). Delete it yourself once no broker uses it.",
          e);
    }
  }

  /**
   * Ports that are free now, all different, and below those that systems give to connections: one
   * of these may take the port of a broker that is down for a moment.
   */
  static List<Integer> freePorts(int count) {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int tries = 0; sockets.size() < count; tries++) {
        // After so many it is not chance; the system knows one, if there is one at all.
        int port = tries < TRIES ? ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST) : 0;
        try {
          sockets.add(new ServerSocket(port, 1, InetAddress.getLoopbackAddress()));
        } catch (IOException e) {
          if (port == 0) {
            throw e;
          }
        }
      }
      return sockets.stream().map(ServerSocket::getLocalPort).toList();
    } catch (IOException e) {
      throw new LocalKafkaException(
          "There is no free port on the loopback address ("
              + e
              + "). End what holds so many, or choose a port.",
          e);
    } finally {
      for (ServerSocket socket : sockets) {
        try {
          socket.close();
        } catch (IOException e) {
          // It was only asked for its number.
        }
      }
    }
  }

  /**
   * Does nothing where a port can be listened on.
   *
   * @throws LocalKafkaException if it is in use or not allowed
   */
  static void requireFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      assert socket.isBound();
    } catch (IOException e) {
      String text = String.valueOf(e.getMessage());
      throw new LocalKafkaException(
          text.contains("in use")
              ? "Port " + port + " is in use. Stop what listens there, or choose another port."
              : "Port " + port + " cannot be used (" + text + "). Choose another port.",
          e);
    }
  }

  /** The name of a broker's folder in the folder of its cluster. */
  static String nameOf(int broker) {
    return "broker-" + broker;
  }

  /**
   * Does nothing where a folder is absent, empty, or was written by as many brokers.
   *
   * @throws DataFolderException if it is no folder, or written by another number of brokers: they
   *     would wait for each other
   */
  static void requireDataOf(int brokers, Path folder) {
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new DataFolderException(folder + " is a file; the data needs a folder of its own.");
    }
    int found = 0;
    while (Files.exists(folder.resolve(nameOf(found + 1)).resolve("meta.properties"))) {
      found++;
    }
    if (found != 0 && found != brokers) {
      throw new DataFolderException(
          "The folder "
              + folder
              + " holds the data of a cluster with brokers = "
              + found
              + ", not "
              + brokers
              + ". Start as many, or choose another folder.");
    }
  }

  /**
   * Does nothing where no broker uses a folder. Kafka looks at its lock too, but only after it has
   * begun to write beside the other.
   *
   * @throws LocalKafkaException if one does
   */
  static void requireUnused(Path folder) {
    Path lock = folder.resolve(".lock");
    if (!Files.exists(lock)) {
      return;
    }
    boolean unused;
    try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
        FileLock held = channel.tryLock()) {
      unused = held != null;
    } catch (OverlappingFileLockException e) {
      unused = false; // by a broker in this JVM
    } catch (IOException e) {
      throw new LocalKafkaException(
          lock + " cannot be written (" + e + "). Choose a folder that can.", e);
    }
    if (!unused) {
      throw new LocalKafkaException(
          "The folder "
              + folder
              + " is in use by another broker. Stop it, or choose another folder.");
    }
  }

  /** Makes Kafka check the logs of this folder at the next start, as after a crash. */
  static void forgetCleanShutdown(Path folder) {
    Path marker = folder.resolve(".kafka_cleanshutdown");
    try {
      Files.deleteIfExists(marker);
    } catch (IOException e) {
      throw new LocalKafkaException(
          "The mark of an orderly end, "
              + marker
              + ", cannot be deleted ("
              + e
              + "). Without that, the broker starts as if it had never been killed.",
          e);
    }
  }
}
