// SPDX-License-Identifier: Apache-2.0
package dev.sluice.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.ConfigException;
import dev.sluice.QueueFullException;
import dev.sluice.SluiceException;
import dev.sluice.kafka.BrokerUnavailableException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

class CommandsTest {
  private static final PrintStream ERR = System.err;
  private static final PrintStream OUT = System.out;

  @Command(name = "break", mixinStandardHelpOptions = true)
  static final class Broken implements Callable<Integer> {
    private final RuntimeException failure;

    @Option(names = {"-v", "--verbose"})
    boolean verbose;

    Broken(RuntimeException failure) {
      this.failure = failure;
    }

    @Override
    public Integer call() {
      throw failure;
    }
  }

  private int code;

  private String run(RuntimeException failure, String... args) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(bytes, true, UTF_8);
    System.setErr(stream);
    System.setOut(stream);
    try {
      code = Commands.run(new Broken(failure), args);
    } finally {
      System.setErr(ERR);
      System.setOut(OUT);
    }
    return bytes.toString(UTF_8);
  }

  @Test
  void aFailureIsOneLineThatBeginsWithTheCommand() {
    assertThat(run(new ConfigException("Queue x is nothing")))
        .isEqualToIgnoringNewLines("sluice break: Queue x is nothing");
    assertThat(code).isEqualTo(ExitCodes.USAGE);
  }

  @Test
  void anUnexpectedFailureShowsItsStackOnlyIfAsked() {
    assertThat(run(new IllegalStateException("odd")))
        .startsWith("sluice break: java.lang.IllegalStateException: odd")
        .contains("--verbose")
        .doesNotContain("\tat ");
    assertThat(code).isEqualTo(ExitCodes.FAILED);
    assertThat(run(new IllegalStateException("odd"), "-v")).contains("\tat ");
  }

  @Test
  void eachKindOfFailureHasItsExitCode() {
    assertThat(Commands.exitCode(new BrokerUnavailableException("x", null))).isEqualTo(69);
    assertThat(Commands.exitCode(new QueueFullException("x", Duration.ofSeconds(1)))).isEqualTo(75);
    assertThat(Commands.exitCode(new SluiceException("x"))).isEqualTo(1);
  }

  @Test
  void theVersionIsTheOneThatWasBuilt() {
    assertThat(run(new IllegalStateException("not called"), "--version"))
        .matches("sluice \\d+\\.\\d+\\.\\d+.*\\R");
    assertThat(code).isZero();
  }

  @Test
  void aWrongOptionIsAnErrorOfUsage() {
    assertThat(run(new IllegalStateException("not called"), "--wrong")).contains("--wrong");
    assertThat(code).isEqualTo(ExitCodes.USAGE);
  }
}
