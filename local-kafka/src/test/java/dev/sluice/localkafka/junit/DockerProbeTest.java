// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka.junit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class DockerProbeTest {
  @TempDir private Path folder;

  @Test
  void findsNoEngineWhereThereIsNoSocket() {
    assertThat(probe(Map.of())).isFalse();
    assertThat(probe(Map.of("DOCKER_HOST", "unix://" + socket()))).isFalse();
    assertThat(probe(Map.of("DOCKER_HOST", "not a host"))).isFalse();
    assertThat(probe(Map.of("DOCKER_HOST", "unix:relative"))).isFalse();
  }

  @Test
  void findsTheEngineThatAnswersAPing() throws Exception {
    try (ServerSocketChannel engine = listen(socket())) {
      Thread server = new Thread(() -> answerOnce(engine));
      server.start();
      assertThat(probe(Map.of())).isTrue();
      server.join();
    }
  }

  @Test
  void findsTheEngineOfTheUser() throws Exception {
    try (ServerSocketChannel engine = listen(folder.resolve("docker.sock"))) {
      Thread server = new Thread(() -> answerOnce(engine));
      server.start();
      assertThat(probe(Map.of("XDG_RUNTIME_DIR", folder.toString()))).isTrue();
      server.join();
    }
  }

  @Test
  void doesNotWaitLongForAnEngineThatSaysNothing() throws Exception {
    try (ServerSocketChannel engine = listen(socket())) {
      long before = System.nanoTime();
      assertThat(probe(Map.of())).isFalse();
      assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
      assertThat(engine.isOpen()).isTrue();
    }
  }

  @Test
  void aSocketWhoseEngineIsGoneIsNoEngine() throws Exception {
    listen(socket()).close();
    assertThat(Files.exists(socket())).isTrue();
    assertThat(probe(Map.of())).isFalse();
  }

  @Test
  void anAddressIsAskedInsteadOfTheSockets() throws Exception {
    try (ServerSocket engine = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String address = "tcp://localhost:" + engine.getLocalPort();
      assertThat(probe(Map.of("DOCKER_HOST", address))).isTrue();
      engine.close();
      assertThat(probe(Map.of("DOCKER_HOST", address))).isFalse();
    }
  }

  @Test
  void theAddressGivenToTestcontainersIsAskedUnlessTheEnvironmentNamesAnother() throws Exception {
    try (ServerSocket engine = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Path home = Files.createDirectories(folder.resolve("home"));
      Files.writeString(
          home.resolve(".testcontainers.properties"),
          "docker.host=tcp\\://localhost\\:" + engine.getLocalPort());
      assertThat(probe(Map.of())).isTrue();
      assertThat(probe(Map.of("DOCKER_HOST", "unix://" + socket()))).isFalse();
    }
  }

  private Path socket() {
    return folder.resolve("engine.sock");
  }

  private boolean probe(Map<String, String> environment) {
    return DockerProbe.answers(environment, socket(), folder.resolve("home"));
  }

  private static ServerSocketChannel listen(Path path) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(path));
    return server;
  }

  private static void answerOnce(ServerSocketChannel engine) {
    try (SocketChannel client = engine.accept()) {
      client.read(ByteBuffer.allocate(256));
      client.write(
          ByteBuffer.wrap("HTTP/1.0 200 OK\r\n\r\nOK".getBytes(StandardCharsets.US_ASCII)));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
