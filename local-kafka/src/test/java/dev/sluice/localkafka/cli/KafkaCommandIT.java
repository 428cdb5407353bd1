// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@Timeout(60)
class KafkaCommandIT {
  private static final String TEMPORARY = "glob:**/sluice-kafka-*";

  @TempDir private Path folder;

  @Test
  void saysWhenItIsReadyAndNothingElseAndASignalEndsItWithZero() throws Exception {
    Process kafka = command();
    try (BufferedReader out = kafka.inputReader()) {
      assertThat(out.readLine())
          .matches("ready: localhost:\\d+ \\(1 broker, data in .*, deleted at exit\\)");
      assertThat(folder).isDirectoryContaining(TEMPORARY);
      terminate(kafka);
      assertThat(out.readLine()).isNull();
      assertThat(kafka.waitFor(40, TimeUnit.SECONDS)).isTrue();
      assertThat(kafka.exitValue()).isZero();
      assertThat(folder).isDirectoryNotContaining(TEMPORARY);
    } finally {
      kafka.destroyForcibly();
    }
  }

  @Test
  void aSignalDuringTheStartLeavesNoFolderBehind() throws Exception {
    Process kafka = command();
    try (BufferedReader out = kafka.inputReader()) {
      // The broker has begun to write, and is not ready for a while.
      await()
          .atMost(Duration.ofSeconds(20))
          .pollInterval(Duration.ofMillis(10))
          .until(() -> holdsData(folder));
      terminate(kafka);
      assertThat(kafka.waitFor(40, TimeUnit.SECONDS)).isTrue();
      assertThat(kafka.exitValue()).isZero();
      assertThat(folder).isDirectoryNotContaining(TEMPORARY);
      assertThat(out.readLine()).isNull();
    } finally {
      kafka.destroyForcibly();
    }
  }

  @Test
  void wrongArgumentsEndItWithTwoAndSayWhy() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    assertThat(failure(2, "--brokers", "4")).contains("brokers is 4; it must be from 1 to 3");
    assertThat(failure(2, "--port", "70000")).contains("port is 70000");
    assertThat(failure(2, "--port", "65535", "--brokers", "2")).contains("above 65535");
    assertThat(failure(2, "--port", "many")).contains("--port").contains("many");
    assertThat(failure(2, "--prot", "1")).contains("--prot");
    assertThat(failure(2, "--data", file.toString())).contains(file + " is a file");
  }

  @Test
  void aPortInUseEndsItWithOneAndSaysSo() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(taken.getLocalPort());
      assertThat(failure(1, "--port", port)).contains("Port " + port + " is in use");
    }
  }

  private static String failure(int exitCode, String... arguments) {
    StringWriter err = new StringWriter();
    CommandLine line = new CommandLine(new KafkaCommand()).setErr(new PrintWriter(err, true));
    assertThat(line.execute(arguments)).as(err::toString).isEqualTo(exitCode);
    return err.toString();
  }

  private Process command() throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx256m", "-Djava.io.tmpdir=" + folder));
    // As the launcher runs it: without the configuration of logging that the tests have.
    command.add("-Dlogback.configurationFile=" + folder.resolve("absent.xml"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(KafkaCommand.class.getName(), "--port", "0"));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
  }

  /** Unlike {@link Process#destroy}, this leaves what it has printed to be read. */
  private static void terminate(Process process) {
    process.toHandle().destroy();
  }

  private static boolean holdsData(Path folder) throws IOException {
    try (Stream<Path> found =
        Files.find(folder, 3, (path, file) -> path.endsWith("meta.properties"))) {
      return found.findAny().isPresent();
    } catch (UncheckedIOException e) {
      // A file was there and is gone, as happens while the broker formats.
      return false;
    }
  }
}
