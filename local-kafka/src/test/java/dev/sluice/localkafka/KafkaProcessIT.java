// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class KafkaProcessIT {
  @TempDir private Path folder;

  @Test
  void aBrokerThatIsKilledStoppedOrSuspendedComesBackWithItsData() throws Exception {
    try (KafkaProcess kafka = KafkaProcess.builder().folder(folder).start()) {
      String bootstrap = kafka.bootstrapServers();
      Records.create(bootstrap, "kept", 1);
      Records.send(bootstrap, "kept", "before");
      long first = kafka.pid(1);
      kafka.kill(1);
      assertThat(ProcessHandle.of(first).filter(ProcessHandle::isAlive)).isEmpty();
      kafka.restart(1);
      assertThat(kafka.pid(1)).isNotEqualTo(first);
      Records.send(bootstrap, "kept", "killed");
      kafka.stop(1);
      kafka.restart(1);
      Records.send(bootstrap, "kept", "stopped");
      kafka.suspend(1);
      assertThatThrownBy(() -> Readiness.await(bootstrap, 1, 1, () -> true))
          .isInstanceOf(LocalKafkaException.class);
      kafka.resume(1);
      Records.send(bootstrap, "kept", "suspended");
      assertThat(Records.read(bootstrap, "kept", 4))
          .containsExactly("before", "killed", "stopped", "suspended");
      assertThatThrownBy(() -> kafka.restart(1)).isInstanceOf(IllegalStateException.class);
    }
    assertThat(folder.resolve("broker-1.log")).exists();
  }

  @Test
  void twoOfThreeBrokersGoOnAndTheThirdIsBackOnlyWhenItAnswersItself() throws Exception {
    try (KafkaProcess kafka = KafkaProcess.start(3, Map.of(), "192m")) {
      String bootstrap = kafka.bootstrapServers();
      Records.create(bootstrap, "replicated", 3);
      kafka.kill(3);
      Records.send(bootstrap, "replicated", "v");
      kafka.restart(3);
      Readiness.await(bootstrap.substring(bootstrap.lastIndexOf(',') + 1), 3, 1, () -> true);
      assertThat(Records.read(bootstrap, "replicated", 1)).containsExactly("v");
    }
  }

  @Test
  void aBrokerThatCannotStartIsAnErrorWithItsLog() {
    assertThatThrownBy(() -> KafkaProcess.start(1, Map.of("num.io.threads", "none")))
        .isInstanceOf(LocalKafkaException.class)
        .hasMessageContaining("ended before it was ready")
        .hasMessageContaining("broker 1 (exit 1)")
        .hasMessageContaining("num.io.threads");
  }

  @Test
  void aBrokerDoesNotOutliveTheProcessThatStartedIt() throws Exception {
    Process parent = parent(folder, folder.toString());
    try {
      ProcessHandle broker = brokerOf(parent);
      parent.destroyForcibly().waitFor(20, TimeUnit.SECONDS);
      await().atMost(Duration.ofSeconds(30)).until(() -> !broker.isAlive());
    } finally {
      parent.destroyForcibly();
    }
  }

  @Test
  void aSignalToTheProcessThatStartedItEndsTheBrokerAndDeletesItsTemporaryFolder()
      throws Exception {
    Process parent = parent(folder);
    try {
      ProcessHandle broker = brokerOf(parent);
      assertThat(folder).isDirectoryContaining("glob:**/sluice-kafka-*");
      parent.destroy();
      assertThat(parent.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(broker.isAlive()).isFalse();
      assertThat(folder).isDirectoryNotContaining("glob:**/sluice-kafka-*");
    } finally {
      parent.destroyForcibly();
    }
  }

  private static Process parent(Path temporary, String... arguments) throws IOException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    List<String> command = new ArrayList<>(List.of(java.toString(), "-Xmx64m"));
    command.add("-Djava.io.tmpdir=" + temporary);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(Parent.class.getName());
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
  }

  private static ProcessHandle brokerOf(Process parent) throws IOException {
    String pid = parent.inputReader().readLine();
    assertThat(pid).as("the process id of the broker").isNotNull();
    return ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
  }

  /** Starts a broker, in a given folder or a temporary one, says its process id, and waits. */
  static final class Parent {
    public static void main(String[] args) throws Exception {
      KafkaProcess.Builder builder = KafkaProcess.builder();
      if (args.length > 0) {
        builder.folder(Path.of(args[0]));
      }
      System.out.println(builder.start().pid(1));
      System.in.read();
    }
  }
}
