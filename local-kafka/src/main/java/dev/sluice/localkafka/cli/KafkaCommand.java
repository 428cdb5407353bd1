// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka.cli;

import dev.sluice.localkafka.DataFolderException;
import dev.sluice.localkafka.LocalKafka;
import dev.sluice.localkafka.LocalKafkaException;
import dev.sluice.localkafka.QuietLogs;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sluice kafka}: a local broker in the foreground, until it is told to stop. */
@Command(
    name = "kafka",
    description = {
      "Runs a real Kafka broker on this machine in the foreground, until SIGINT or SIGTERM.",
      "Prints one line on standard output once it answers: ready: HOST:PORT (...)"
    },
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:stopped by a signal",
      "1:it did not start, or did not stop in time",
      "2:wrong arguments"
    })
public final class KafkaCommand implements Callable<Integer> {
  private static final int FAILED = 1;
  private static final int USAGE = 2;

  /** Longer than an orderly end of three brokers takes. */
  private static final int MOST_SECONDS_TO_END = 60;

  @Option(
      names = "--port",
      defaultValue = "9092",
      description = "Port of the first broker; the others follow; 0 for any. Default: 9092.")
  private int port;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Folder of the data, which is kept. Default: a temporary one, deleted at exit.")
  private @Nullable Path data;

  @Option(
      names = "--brokers",
      paramLabel = "N",
      defaultValue = "1",
      description = "Brokers, 1 to 3. Default: 1.")
  private int brokers;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Shows this text.")
  @SuppressWarnings("UnusedVariable") // picocli acts on it
  private boolean help;

  @SuppressWarnings("NullAway.Init") // set by picocli
  @Spec
  private CommandSpec spec;

  private volatile int exitCode;

  /** Up, until it has stopped and its temporary folder is gone. */
  private final CountDownLatch ended = new CountDownLatch(1);

  @Override
  public Integer call() {
    QuietLogs.on();
    Thread runner = Thread.currentThread();
    Thread onSignal = new Thread(() -> end(runner), "sluice-kafka-stop");
    Runtime.getRuntime().addShutdownHook(onSignal);
    try {
      exitCode = run();
      return exitCode;
    } finally {
      ended.countDown();
      try {
        Runtime.getRuntime().removeShutdownHook(onSignal);
      } catch (IllegalStateException e) {
        // A signal came, and its hook sets the exit code.
      }
    }
  }

  private int run() {
    try {
      LocalKafka.Builder builder = LocalKafka.builder().port(port).brokers(brokers);
      if (data != null) {
        builder.folder(data);
      }
      try (LocalKafka kafka = builder.start()) {
        sayReady(kafka);
        awaitSignal();
        QuietLogs.whileBrokersLeave();
      }
    } catch (IllegalArgumentException | DataFolderException e) {
      return failed(String.valueOf(e.getMessage()), USAGE);
    } catch (LocalKafkaException e) {
      // What a signal cut short did not fail.
      return Thread.interrupted() ? 0 : failed(String.valueOf(e.getMessage()), FAILED);
    }
    return 0;
  }

  private void sayReady(LocalKafka kafka) {
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "ready: %s (%d broker%s, data in %s, %s at exit)%n",
        kafka.bootstrapServers(),
        brokers,
        brokers == 1 ? "" : "s",
        kafka.folder(),
        data == null ? "deleted" : "kept");
    out.flush();
  }

  private static void awaitSignal() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      // The signal: what follows is an orderly end, which an interruption would cut short.
    }
  }

  /** What a signal does: waits for the end of the command, which may still be starting. */
  private void end(Thread runner) {
    runner.interrupt();
    boolean orderly = false;
    try {
      orderly = ended.await(MOST_SECONDS_TO_END, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    // Not 143 or 130, as of a process that a signal ends: this one did what it was told.
    Runtime.getRuntime().halt(orderly ? exitCode : FAILED);
  }

  private int failed(String text, int code) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("sluice kafka: " + text);
    err.flush();
    return code;
  }

  /** Runs the command. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new KafkaCommand()).execute(args));
  }
}
