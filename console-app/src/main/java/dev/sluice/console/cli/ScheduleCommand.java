// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.ConfigException;
import dev.sluice.cli.ConnectionOptions;
import dev.sluice.cli.ExitCodes;
import dev.sluice.console.schedule.Schedules;
import dev.sluice.delay.kafka.CronRecurrence;
import dev.sluice.delay.kafka.Schedule;
import dev.sluice.flow.schedule.Missed;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.queue.SluiceConfig;
import dev.sluice.time.SystemClock;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sluice schedule}: tasks that recur. */
@Command(
    name = "schedule",
    mixinStandardHelpOptions = true,
    description = "Adds, lists and removes tasks that recur; workers that serve delays fire them.",
    synopsisSubcommandLabel = "COMMAND")
public final class ScheduleCommand {
  private static final int SHOWN = 3;

  private final SystemClock clock = SystemClock.INSTANCE;
  private final ObjectMapper mapper = new ObjectMapper();

  enum Output {
    TABLE,
    JSON
  }

  @Spec private @Nullable CommandSpec spec;

  @Command(
      name = "add",
      description = "Submits a task to a queue again and again, once for each time it is due.")
  int add(
      @Mixin ConnectionOptions connection,
      @Parameters(paramLabel = "NAME", description = "Names the schedule.") String name,
      @Option(names = "--queue", paramLabel = "QUEUE", required = true) String queue,
      @Option(
              names = "--cron",
              paramLabel = "EXPRESSION",
              required = true,
              description =
                  "Five fields: minute, hour, day of month, month, day of week; or six with the"
                      + " second first.")
          String cron,
      @Option(
              names = "--zone",
              paramLabel = "ZONE",
              defaultValue = "UTC",
              description = "The time zone, as Europe/Berlin. Default: ${DEFAULT-VALUE}.")
          String zone,
      @Option(
              names = "--missed",
              paramLabel = "skip|once|all",
              defaultValue = "once",
              description = {
                "Of the times at which no worker was up, fire none, the last one, or all."
                    + " Default: ${DEFAULT-VALUE}."
              })
          Missed missed,
      @Option(
              names = "--payload",
              paramLabel = "TEXT",
              defaultValue = "{}",
              description = "The payload, JSON. Default: ${DEFAULT-VALUE}.")
          String payload,
      @Option(names = "--key", paramLabel = "KEY", description = "The ordering key. Default: none.")
          @Nullable String key,
      @Option(
              names = "--type",
              paramLabel = "T",
              description = "The type of the tasks. Default: the queue's default type.")
          @Nullable String type,
      @Option(names = "--replace", description = "Replace the schedule of that name.")
          boolean replace) {
    SluiceConfig config = connection.config();
    QueueDefinition definition = config.queue(queue);
    long now = clock.epochMillis();
    Schedule schedule =
        new Schedule(
            name,
            queue,
            definition.topic(),
            type == null ? definition.defaultType() : type,
            cron,
            zone,
            missed,
            payload,
            key,
            now);
    CronRecurrence times = schedule.recurrence();
    if (times.after(now) == Long.MAX_VALUE) {
      throw new ConfigException("The cron expression '" + cron + "' has no time in the future.");
    }
    checkPayload(payload);
    Schedules schedules = schedules(connection, config);
    if (!replace && schedules.all().containsKey(name)) {
      throw new ConfigException("There is a schedule " + name + " already; say --replace.");
    }
    schedules.put(schedule);
    StringBuilder text = new StringBuilder("Schedule " + name + " fires next:");
    long at = now;
    for (int i = 0; i < SHOWN; i++) {
      at = times.after(at);
      if (at == Long.MAX_VALUE) {
        break;
      }
      text.append(i == 0 ? " " : ", ").append(shown(at, zone));
    }
    print(text.toString());
    return ExitCodes.DONE;
  }

  private void checkPayload(String payload) {
    try {
      var ignored = mapper.readTree(payload);
    } catch (JsonProcessingException e) {
      throw new ConfigException("--payload is no JSON: " + e.getOriginalMessage(), e);
    }
  }

  @Command(name = "list", description = "The tasks that recur, with when they are due next.")
  int list(
      @Mixin ConnectionOptions connection,
      @Option(
              names = {"-o", "--output"},
              paramLabel = "table|json",
              defaultValue = "TABLE",
              description = "Default: table.")
          Output output) {
    Map<String, Schedules.Known> all = schedules(connection, connection.config()).all();
    if (output == Output.JSON) {
      ArrayNode array = mapper.createArrayNode();
      all.values().forEach(known -> add(array.addObject(), known));
      print(array.toString());
      return ExitCodes.DONE;
    }
    if (all.isEmpty()) {
      print("There are no schedules.");
      return ExitCodes.DONE;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("name", "queue", "cron", "zone", "missed", "last", "next"));
    all.values()
        .forEach(
            known -> {
              Schedule s = known.schedule();
              rows.add(
                  List.of(
                      s.name(),
                      s.queue(),
                      s.cron(),
                      s.zone(),
                      s.missed().name().toLowerCase(Locale.ROOT),
                      shown(known.firedMillis(), s.zone()),
                      shown(known.nextMillis(), s.zone())));
            });
    TextTable.lines(rows).forEach(this::print);
    return ExitCodes.DONE;
  }

  private static void add(ObjectNode node, Schedules.Known known) {
    Schedule s = known.schedule();
    node.put("name", s.name()).put("queue", s.queue()).put("topic", s.topic());
    node.put("type", s.type()).put("cron", s.cron()).put("zone", s.zone());
    node.put("missed", s.missed().name().toLowerCase(Locale.ROOT));
    node.put("payload", s.payload()).put("key", s.key());
    known.firedMillis().ifPresent(at -> node.put("last", Instant.ofEpochMilli(at).toString()));
    known.nextMillis().ifPresent(at -> node.put("next", Instant.ofEpochMilli(at).toString()));
  }

  @Command(name = "remove", description = "Ends a schedule; what was fired runs.")
  int remove(@Mixin ConnectionOptions connection, @Parameters(paramLabel = "NAME") String name) {
    if (!schedules(connection, connection.config()).remove(name)) {
      print("There is no schedule " + name + ".");
      return ExitCodes.NOT_FOUND;
    }
    print("Schedule " + name + " is removed.");
    return ExitCodes.DONE;
  }

  private Schedules schedules(ConnectionOptions connection, SluiceConfig config) {
    return new Schedules(connection.kafka(config), config.fleet(), clock);
  }

  private static String shown(Optional<Long> at, String zone) {
    return at.map(millis -> shown(millis, zone)).orElse("-");
  }

  private static String shown(long at, String zone) {
    return Instant.ofEpochMilli(at).atZone(ZoneId.of(zone)).toOffsetDateTime().toString();
  }

  private void print(String line) {
    CommandSpec known = spec;
    if (known == null) {
      throw new IllegalStateException("The command was not started by picocli");
    }
    known.commandLine().getOut().println(line);
    known.commandLine().getOut().flush();
  }
}
