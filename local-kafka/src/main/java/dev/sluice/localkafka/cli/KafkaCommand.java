// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka.cli;

import dev.sluice.localkafka.LocalKafka;
import dev.sluice.localkafka.LocalKafkaException;
import dev.sluice.localkafka.QuietLogs;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sluice kafka}: a local broker in the foreground, until it is told to stop. */
@Command(
    name = "kafka",
    mixinStandardHelpOptions = true,
    description = "Runs a real Kafka broker on this machine in the foreground.")
public final class KafkaCommand implements Callable<Integer> {

  @Option(
      names = "--port",
      defaultValue = "9092",
      description = "Port of the first broker; the others follow. Default: 9092.")
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

  @Override
  @SuppressWarnings("SystemOut")
  public Integer call() throws InterruptedException {
    QuietLogs.on();
    LocalKafka kafka;
    try {
      LocalKafka.Builder builder = LocalKafka.builder().port(port).brokers(brokers);
      if (data != null) {
        builder.folder(data);
      }
      kafka = builder.start();
    } catch (IllegalArgumentException e) {
      System.err.println("sluice kafka: " + e.getMessage());
      return 2;
    } catch (LocalKafkaException e) {
      System.err.println("sluice kafka: " + e.getMessage());
      return 1;
    }
    CountDownLatch closed = new CountDownLatch(1);
    Thread closer =
        new Thread(
            () -> {
              kafka.close();
              System.out.flush();
              closed.countDown();
              // A process that a signal ends says 143 or 130; this one did what it was told.
              Runtime.getRuntime().halt(0);
            },
            "sluice-kafka-stop");
    Runtime.getRuntime().addShutdownHook(closer);
    System.out.printf(
        "ready: %s (%d broker%s, data in %s, %s at exit)%n",
        kafka.bootstrapServers(),
        brokers,
        brokers == 1 ? "" : "s",
        kafka.folder(),
        data == null ? "deleted" : "kept");
    System.out.flush();
    closed.await();
    return 0;
  }

  /** Runs the command. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new KafkaCommand()).execute(args));
  }
}
