// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.ConfigException;
import dev.sluice.cli.Commands;
import dev.sluice.cli.ConnectionOptions;
import dev.sluice.cli.ExitCodes;
import dev.sluice.console.Explanation;
import dev.sluice.console.FleetPicture;
import dev.sluice.console.FleetReader;
import dev.sluice.console.QueueDescription;
import dev.sluice.fleet.OperatorSetting;
import dev.sluice.fleet.OperatorSetting.What;
import dev.sluice.queue.CapacityDefinition;
import dev.sluice.queue.FleetConcurrencyDefinition;
import dev.sluice.queue.FleetMode;
import dev.sluice.queue.FleetRateDefinition;
import dev.sluice.queue.Quantities;
import dev.sluice.queue.SluiceConfig;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sluice queue}: what is known of queues, and what can be set while they run. */
@Command(
    name = "queue",
    mixinStandardHelpOptions = true,
    description = "Looks at queues, and sets their limits at run time.",
    synopsisSubcommandLabel = "COMMAND")
public final class QueueCommand {
  private final SystemClock clock = SystemClock.INSTANCE;
  private final ObjectMapper mapper = new ObjectMapper();

  enum Output {
    TABLE,
    JSON
  }

  @Spec private @Nullable CommandSpec spec;

  @Command(name = "list", description = "The queues that workers have declared.")
  int list(@Mixin ConnectionOptions connection, @Mixin OutputOption output)
      throws JsonProcessingException {
    FleetPicture picture = reader(connection).read().orElse(null);
    Set<String> queues = new TreeSet<>(picture == null ? Set.of() : picture.settings().queues());
    if (output.format == Output.JSON) {
      print(mapper.writeValueAsString(queues));
    } else {
      queues.forEach(this::print);
    }
    return ExitCodes.DONE;
  }

  @Command(name = "describe", description = "What is configured, what is in force, and who set it.")
  int describe(
      @Mixin ConnectionOptions connection,
      @Mixin OutputOption output,
      @Parameters(paramLabel = "QUEUE") String queue)
      throws JsonProcessingException {
    FleetPicture picture = picture(connection, queue);
    if (picture == null) {
      return ExitCodes.NOT_FOUND;
    }
    List<QueueDescription> lines = QueueDescription.of(queue, picture, clock.epochMillis());
    if (output.format == Output.JSON) {
      print(mapper.writeValueAsString(lines));
      return ExitCodes.DONE;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("setting", "configured", "effective", "set by", "until"));
    lines.forEach(
        l -> rows.add(List.of(l.setting(), l.configured(), l.effective(), l.setBy(), l.until())));
    table(rows);
    return ExitCodes.DONE;
  }

  @Command(
      name = "explain",
      description = "Why each partition and each producer does not move, and what clears it.")
  int explain(
      @Mixin ConnectionOptions connection,
      @Mixin OutputOption output,
      @Parameters(paramLabel = "QUEUE") String queue)
      throws JsonProcessingException {
    FleetPicture picture = picture(connection, queue);
    if (picture == null) {
      return ExitCodes.NOT_FOUND;
    }
    List<Explanation> all = Explanation.of(queue, picture, clock.epochMillis());
    if (output.format == Output.JSON) {
      print(mapper.writeValueAsString(all));
      return ExitCodes.DONE;
    }
    if (all.isEmpty()) {
      print("Nothing holds queue " + queue + ".");
      return ExitCodes.DONE;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("who", "what", "reason", "since", "cleared when"));
    for (Explanation each : all) {
      var c = each.columns();
      rows.add(
          List.of(
              each.who(),
              each.what(),
              each.reason(),
              String.valueOf(c.get("since")),
              each.clearedBy()));
    }
    table(rows);
    return ExitCodes.DONE;
  }

  @Command(name = "pause", description = "Nothing of the queue starts any more, in no worker.")
  int pause(
      @Mixin ConnectionOptions connection,
      @Mixin ForOption lasting,
      @Parameters(paramLabel = "QUEUE") String queue) {
    reader(connection).set(setting(queue, What.PAUSE, 0, 0, lasting));
    print("Queue " + queue + " is paused" + lasting.text() + ".");
    return ExitCodes.DONE;
  }

  @Command(name = "resume", description = "Takes a pause back.")
  int resume(@Mixin ConnectionOptions connection, @Parameters(paramLabel = "QUEUE") String queue) {
    reader(connection).clear(queue, What.PAUSE);
    print("Queue " + queue + " is resumed.");
    return ExitCodes.DONE;
  }

  @Command(
      name = "seal",
      description = {
        "Producers are refused; workers finish what is there. With 'work --until-empty' they end then."
      })
  int seal(
      @Mixin ConnectionOptions connection,
      @Mixin ForOption lasting,
      @Parameters(paramLabel = "QUEUE") String queue) {
    reader(connection).set(setting(queue, What.SEAL, 0, 0, lasting));
    print("Queue " + queue + " is sealed" + lasting.text() + ".");
    return ExitCodes.DONE;
  }

  @Command(name = "unseal", description = "Takes a seal back: producers may go on.")
  int unseal(@Mixin ConnectionOptions connection, @Parameters(paramLabel = "QUEUE") String queue) {
    reader(connection).clear(queue, What.SEAL);
    print("Queue " + queue + " is unsealed.");
    return ExitCodes.DONE;
  }

  @Command(
      name = "limit",
      description = "Sets limits that all workers and producers share; they follow within seconds.")
  int limit(
      @Mixin ConnectionOptions connection,
      @Mixin ForOption lasting,
      @Parameters(paramLabel = "QUEUE") String queue,
      @Option(names = "--fleet-rate", paramLabel = "N", description = "Starts per second.")
          @Nullable Double rate,
      @Option(names = "--fleet-burst", paramLabel = "N", description = "Starts after a rest.")
          @Nullable Long burst,
      @Option(names = "--fleet-concurrency", paramLabel = "N", description = "Tasks at once.")
          @Nullable Integer concurrency,
      @Option(names = "--capacity", paramLabel = "N", description = "Tasks in the queue; 0: none.")
          @Nullable Long capacity,
      @Option(names = "--target-delay", paramLabel = "D", description = "Delay of tasks; 0s: none.")
          @Nullable String targetDelay,
      @Option(names = "--clear", description = "Take back what was set; configuration holds again.")
          boolean clear) {
    FleetReader reader = reader(connection);
    if (clear) {
      if (rate != null || concurrency != null || capacity != null || targetDelay != null) {
        throw new ConfigException("--clear takes back all limits; leave the other options out");
      }
      for (What what : EnumSet.complementOf(EnumSet.of(What.PAUSE, What.SEAL))) {
        reader.clear(queue, what);
      }
      print("The limits of queue " + queue + " are those of its configuration.");
      return ExitCodes.DONE;
    }
    List<OperatorSetting> settings = new ArrayList<>();
    if (rate != null) {
      FleetRateDefinition checked =
          burst == null
              ? FleetRateDefinition.perSecond(rate)
              : new FleetRateDefinition(rate, burst);
      settings.add(
          setting(
              queue,
              What.FLEET_RATE,
              Math.round(checked.rate() * 1_000),
              checked.burst(),
              lasting));
    } else if (burst != null) {
      throw new ConfigException("--fleet-burst needs --fleet-rate");
    }
    if (concurrency != null) {
      int checked = new FleetConcurrencyDefinition(concurrency, FleetMode.SOFT).limit();
      settings.add(setting(queue, What.FLEET_CONCURRENCY, checked, 0, lasting));
    }
    if (capacity != null) {
      long checked = new CapacityDefinition(capacity, Optional.empty()).tasks();
      settings.add(setting(queue, What.CAPACITY, checked, 0, lasting));
    }
    if (targetDelay != null) {
      Duration delay = Quantities.duration(targetDelay);
      if (!delay.isZero()) {
        delay = new CapacityDefinition(1, Optional.of(delay)).targetDelay().orElse(delay);
      }
      settings.add(setting(queue, What.TARGET_DELAY, delay.toMillis(), 0, lasting));
    }
    if (settings.isEmpty()) {
      throw new ConfigException(
          "Say what to set: --fleet-rate, --fleet-concurrency, --capacity or --target-delay; or"
              + " --clear");
    }
    settings.forEach(reader::set);
    print("Queue " + queue + ": " + settings.size() + " set" + lasting.text() + ".");
    return ExitCodes.DONE;
  }

  // ---- help ----

  /** How something is printed. */
  static final class OutputOption {
    @Option(
        names = {"-o", "--output"},
        paramLabel = "table|json",
        description = "Default: table.")
    private Output format = Output.TABLE;
  }

  /** How long something holds. */
  static final class ForOption {
    @Option(
        names = "--for",
        paramLabel = "D",
        description = "Ends by itself after so long, as 10m. Default: never.")
    private @Nullable String duration;

    private long expires(long nowMillis) {
      return duration == null ? 0 : nowMillis + Quantities.duration(duration).toMillis();
    }

    private String text() {
      return duration == null ? "" : " for " + duration;
    }
  }

  private OperatorSetting setting(
      String queue, What what, long value, long burst, ForOption lasting) {
    long now = clock.epochMillis();
    return new OperatorSetting(
        queue, what, value, burst, System.getProperty("user.name", "?"), now, lasting.expires(now));
  }

  private static FleetReader reader(ConnectionOptions connection) {
    Commands.configureLogging(connection.verbose());
    SluiceConfig config = connection.config();
    return new FleetReader(connection.kafka(config), config.fleet(), SystemClock.INSTANCE);
  }

  private @Nullable FleetPicture picture(ConnectionOptions connection, String queue) {
    FleetPicture picture = reader(connection).read().orElse(null);
    if (picture == null || !picture.settings().queues().contains(queue)) {
      err(
          "Queue "
              + queue
              + " is not known to the fleet"
              + (picture == null ? ": there are no control topics" : "")
              + ". A worker that works it declares it.");
      return null;
    }
    return picture;
  }

  private void table(List<List<String>> rows) {
    TextTable.lines(rows).forEach(this::print);
  }

  private void print(String line) {
    var out = commandLine().getOut();
    out.println(line);
    out.flush();
  }

  private void err(String line) {
    var err = commandLine().getErr();
    err.println("sluice queue: " + line);
    err.flush();
  }

  private picocli.CommandLine commandLine() {
    CommandSpec known = spec;
    if (known == null) {
      throw new IllegalStateException("The command was not started by picocli");
    }
    return known.commandLine();
  }
}
