// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class LocalKafkaIT {
  @TempDir private Path folder;

  @Test
  void keepsItsDataThroughARestartAndAKill() throws Exception {
    try (LocalKafka kafka = LocalKafka.start()) {
      String bootstrap = kafka.bootstrapServers();
      Records.create(bootstrap, "kept", 1);
      Records.send(bootstrap, "kept", "before");
      kafka.restart(1);
      Records.send(bootstrap, "kept", "restarted");
      kafka.kill(1);
      assertThat(kafka.folder().resolve("broker-1/.kafka_cleanshutdown")).doesNotExist();
      kafka.restart(1);
      Records.send(bootstrap, "kept", "killed");
      assertThat(Records.read(bootstrap, "kept", 3))
          .containsExactly("before", "restarted", "killed");
    }
  }

  @Test
  void deletesATemporaryFolderAndKeepsAGivenOne() throws Exception {
    Path temporary;
    try (LocalKafka kafka = LocalKafka.start()) {
      temporary = kafka.folder();
      assertThat(temporary).exists();
    }
    assertThat(temporary).doesNotExist();
    try (LocalKafka kafka = LocalKafka.builder().folder(folder).start()) {
      Records.create(kafka.bootstrapServers(), "kept", 1);
      Records.send(kafka.bootstrapServers(), "kept", "v");
      assertThatThrownBy(() -> LocalKafka.builder().folder(folder).start())
          .isInstanceOf(LocalKafkaException.class)
          .hasMessageContaining("broker-1 is in use by another broker");
    }
    try (LocalKafka kafka = LocalKafka.builder().folder(folder).start()) {
      assertThat(Records.read(kafka.bootstrapServers(), "kept", 1)).containsExactly("v");
    }
    assertThatThrownBy(() -> LocalKafka.builder().brokers(3).folder(folder).start())
        .isInstanceOf(DataFolderException.class)
        .hasMessageContaining("brokers = 1, not 3");
  }

  @Test
  void aPortInUseIsAnErrorAndNotTheEndOfTheJvm() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = taken.getLocalPort();
      assertThatThrownBy(() -> LocalKafka.builder().port(port).start())
          .isInstanceOf(LocalKafkaException.class)
          .hasMessageContaining("Port " + port + " is in use");
      assertThatThrownBy(() -> LocalKafka.builder().brokers(2).port(port - 1).start())
          .isInstanceOf(LocalKafkaException.class)
          .hasMessageContaining("is in use");
    }
  }

  @Test
  void aPropertyThatKafkaRefusesIsAnErrorThatNamesIt() {
    LocalKafka.Builder builder = LocalKafka.builder().property("num.io.threads", "none");
    assertThatThrownBy(builder::start)
        .isInstanceOf(LocalKafkaException.class)
        .hasMessageContaining("num.io.threads");
  }

  @Test
  void aFolderThatIsAFileIsAnError() throws Exception {
    Path file = Files.createFile(folder.resolve("file"));
    assertThatThrownBy(() -> LocalKafka.builder().folder(file).start())
        .isInstanceOf(DataFolderException.class)
        .hasMessageContaining(file.toString());
    Path below = file.resolve("below");
    assertThatThrownBy(() -> LocalKafka.builder().folder(below).start())
        .isInstanceOf(LocalKafkaException.class)
        .hasMessageContaining(below + " cannot be made");
  }

  @Test
  void aTopicThatNobodyCreatedIsMissedAndNotCreated() {
    try (LocalKafka kafka = LocalKafka.start()) {
      assertThatThrownBy(
              () -> Records.send(kafka.bootstrapServers(), "missing", "v", Duration.ofSeconds(1)))
          .isInstanceOf(ExecutionException.class)
          .hasMessageContaining("missing");
    }
  }

  @Test
  void aStartThatIsInterruptedLeavesNeitherABrokerNorAFolder() throws Exception {
    Set<Path> before = temporaryFolders();
    CompletableFuture<Throwable> failure = new CompletableFuture<>();
    Thread starter =
        new Thread(
            () -> {
              try {
                LocalKafka.builder().brokers(2).start();
              } catch (LocalKafkaException e) {
                failure.complete(e);
              }
            });
    starter.start();
    await().pollInterval(Duration.ofMillis(10)).until(() -> aThreadIsCalled("raft-io-thread"));
    starter.interrupt();
    assertThat(failure.get(30, TimeUnit.SECONDS)).hasMessageContaining("Interrupted");
    assertThat(temporaryFolders()).isEqualTo(before);
    assertThat(aThreadIsCalled("sluice-start")).isFalse();
    assertThat(aThreadIsCalled("raft-io-thread")).isFalse();
  }

  private static boolean aThreadIsCalled(String part) {
    return Thread.getAllStackTraces().keySet().stream()
        .anyMatch(thread -> thread.getName().contains(part));
  }

  private static Set<Path> temporaryFolders() throws IOException {
    // Other processes have such folders, too, and begin and end while this one looks.
    String own = BrokerFiles.TEMPORARY_PREFIX + ProcessHandle.current().pid() + "-";
    try (Stream<Path> all = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return all.filter(path -> path.getFileName().toString().startsWith(own))
          .collect(Collectors.toSet());
    }
  }

  @Test
  void threeBrokersGoOnWhenOneIsStoppedOrKilled() throws Exception {
    try (LocalKafka kafka = LocalKafka.builder().brokers(3).start()) {
      String bootstrap = kafka.bootstrapServers();
      Records.create(bootstrap, "replicated", 3);
      kafka.stop(2);
      Records.send(bootstrap, "replicated", "stopped");
      kafka.restart(2);
      kafka.kill(1);
      Records.send(bootstrap, "replicated", "killed");
      kafka.restart(1);
      assertThat(Records.read(bootstrap, "replicated", 2)).containsExactly("stopped", "killed");
    }
  }

  @Test
  void theNumbersOfBrokersAndPortsAreChecked() {
    assertThatThrownBy(() -> LocalKafka.builder().brokers(4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("brokers is 4; it must be from 1 to 3");
    assertThatThrownBy(() -> LocalKafka.builder().port(70_000))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("port is 70000; it must be from 0 to 65535");
    assertThatThrownBy(() -> LocalKafka.builder().port(65_534).brokers(3).start())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("above 65535");
  }
}
