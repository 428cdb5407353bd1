// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.cli;

import dev.sluice.Cancellation;
import dev.sluice.ConfigException;
import dev.sluice.cli.Commands;
import dev.sluice.cli.ConnectionOptions;
import dev.sluice.cli.ExitCodes;
import dev.sluice.console.FleetPicture;
import dev.sluice.console.FleetReader;
import dev.sluice.delay.kafka.CancelDesk;
import dev.sluice.delay.kafka.DelayTopics;
import dev.sluice.fleet.CancelWish;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.queue.Quantities;
import dev.sluice.queue.SluiceConfig;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sluice task}: single tasks. */
@Command(
    name = "task",
    mixinStandardHelpOptions = true,
    description = "Cancels single tasks.",
    synopsisSubcommandLabel = "COMMAND")
public final class TaskCommand {
  private static final Duration CONNECT = Duration.ofSeconds(15);
  private static final long LOOK_NANOS = Duration.ofMillis(200).toNanos();

  private final SystemClock clock = SystemClock.INSTANCE;

  @Spec private @Nullable CommandSpec spec;

  @Command(
      name = "cancel",
      description = {
        "A task that waits is not run; one that runs is told (context.cancelled()). Exit 0 if it was"
            + " cancelled or told, 1 if that was too late, 4 if no worker has it at hand: it is then"
            + " not run for a day, should it come."
      })
  int cancel(
      @Mixin ConnectionOptions connection,
      @Parameters(paramLabel = "ID", description = "The id of the task.") String id,
      @Option(
              names = "--timeout",
              paramLabel = "D",
              defaultValue = "5s",
              description = "How long to wait for an answer. Default: ${DEFAULT-VALUE}.")
          String timeout,
      @Option(
              names = "--not-before",
              paramLabel = "TIME",
              description = {
                "For a delayed task: when it is due, as 2026-11-20T08:00:00Z or in epoch"
                    + " milliseconds, exactly as it was submitted."
              })
          @Nullable String notBefore) {
    Commands.configureLogging(connection.verbose());
    SluiceConfig config = connection.config();
    KafkaSettings kafka = connection.kafka(config);
    Duration most = Quantities.duration(timeout);
    Cancellation answer =
        notBefore == null
            ? waiting(new FleetReader(kafka, config.fleet(), clock), id, most)
            : delayed(kafka, new DelayTopics(config.fleet()), id, millis(notBefore), most);
    print(
        switch (answer) {
          case CANCELLED -> "Task " + id + " is cancelled: it is not run.";
          case TOLD -> "Task " + id + " is running: its handler was told.";
          case TOO_LATE -> "Too late: task " + id + " has run, or runs now.";
          case REFUSED -> "Too many cancelled tasks wait for their time: task " + id + " runs.";
          case NOT_SEEN ->
              "No worker has task "
                  + id
                  + " at hand. It has ended, or is further back in its queue: there it is not run"
                  + " for a day from now.";
        });
    return switch (answer) {
      case CANCELLED, TOLD -> ExitCodes.DONE;
      case TOO_LATE, REFUSED -> ExitCodes.FAILED;
      case NOT_SEEN -> ExitCodes.NOT_FOUND;
    };
  }

  private Cancellation waiting(FleetReader fleet, String id, Duration most) {
    long now = clock.epochMillis();
    CancelWish wish;
    try {
      wish = CancelWish.of(id, System.getProperty("user.name", "?"), now);
    } catch (IllegalArgumentException e) {
      throw new ConfigException(String.valueOf(e.getMessage()), e);
    }
    fleet.cancel(wish);
    long begun = clock.nanos();
    while (true) {
      Optional<Cancellation> answer = fleet.read().flatMap(picture -> answer(picture, id));
      if (answer.isPresent() || clock.nanos() - begun > most.toNanos()) {
        return answer.orElse(Cancellation.NOT_SEEN);
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }

  private static Optional<Cancellation> answer(FleetPicture picture, String id) {
    CancelWish wish = picture.settings().cancels().get(id);
    return wish == null ? Optional.empty() : wish.answer();
  }

  private static Cancellation delayed(
      KafkaSettings kafka, DelayTopics topics, String id, long dueMillis, Duration most) {
    int shards = topics.ensure(kafka, CONNECT);
    try (CancelDesk desk =
        new CancelDesk(kafka, topics, shards, "sluice-task", SystemClock.INSTANCE)) {
      return desk.cancel(id, dueMillis, most).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }

  private static long millis(String text) {
    try {
      return text.matches("[0-9]+") ? Long.parseLong(text) : Instant.parse(text).toEpochMilli();
    } catch (DateTimeParseException | NumberFormatException e) {
      throw new ConfigException(
          "--not-before is '"
              + text
              + "'; write a time, as 2026-11-20T08:00:00Z, or epoch milliseconds",
          e);
    }
  }

  private void print(String line) {
    CommandSpec known = spec;
    if (known == null) {
      throw new IllegalStateException("The command was not started by picocli");
    }
    var out = known.commandLine().getOut();
    out.println(line);
    out.flush();
  }
}
