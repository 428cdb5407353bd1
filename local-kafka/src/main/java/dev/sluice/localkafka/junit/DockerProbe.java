// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka.junit;

import java.io.IOException;
import java.io.Reader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Finds out within a second or two whether a Docker engine may answer, before Testcontainers is
 * asked: without an engine, that takes longer and logs stack traces.
 */
final class DockerProbe {
  private static final int PATIENCE_MILLIS = 1_000;
  private static final byte[] PING =
      "GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private DockerProbe() {}

  /**
   * Whether something answers where Testcontainers would look.
   *
   * @param environment where {@code DOCKER_HOST} and {@code XDG_RUNTIME_DIR} may stand
   * @param system the socket of the engine of the whole machine
   * @param home the folder of the user, for engines of their own and {@code
   *     .testcontainers.properties}
   */
  static boolean answers(Map<String, String> environment, Path system, Path home) {
    String host = environment.getOrDefault("DOCKER_HOST", configuredHost(home));
    if (!host.isBlank()) {
      return answersAt(host.strip());
    }
    List<Path> sockets =
        new ArrayList<>(
            List.of(
                system,
                home.resolve(".docker/run/docker.sock"),
                home.resolve(".docker/desktop/docker.sock")));
    String runtime = environment.get("XDG_RUNTIME_DIR");
    if (runtime != null) {
      sockets.add(Path.of(runtime, "docker.sock"));
    }
    return sockets.stream().anyMatch(DockerProbe::pings);
  }

  /** The address that a user has given to Testcontainers; empty without one. */
  private static String configuredHost(Path home) {
    Path file = home.resolve(".testcontainers.properties");
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    } catch (IOException | IllegalArgumentException e) {
      // Absent as a rule; where it cannot be read, Testcontainers cannot read it either.
      return "";
    }
    return properties.getProperty("docker.host", "");
  }

  private static boolean answersAt(String host) {
    try {
      URI uri = URI.create(host);
      String scheme = String.valueOf(uri.getScheme());
      return switch (scheme) {
        case "unix" -> uri.getPath() != null && pings(Path.of(uri.getPath()));
        case "tcp", "http", "https" -> connects(uri.getHost(), uri.getPort());
        // A named pipe or a tunnel: Testcontainers knows.
        default -> true;
      };
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static boolean connects(@Nullable String host, int port) {
    if (host == null) {
      return false;
    }
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(host, port < 0 ? 2375 : port), PATIENCE_MILLIS);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean pings(Path path) {
    if (!Files.exists(path)) {
      return false;
    }
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        Selector selector = Selector.open()) {
      channel.connect(UnixDomainSocketAddress.of(path));
      channel.configureBlocking(false);
      channel.write(ByteBuffer.wrap(PING));
      channel.register(selector, SelectionKey.OP_READ);
      ByteBuffer answer = ByteBuffer.allocate(16);
      return selector.select(PATIENCE_MILLIS) == 1
          && channel.read(answer) > 0
          && new String(answer.array(), StandardCharsets.US_ASCII).startsWith("HTTP/");
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }
}
