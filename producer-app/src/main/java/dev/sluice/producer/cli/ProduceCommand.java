// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.cli;

import dev.sluice.ConfigException;
import dev.sluice.Task;
import dev.sluice.cli.Commands;
import dev.sluice.cli.ConnectionOptions;
import dev.sluice.cli.ExitCodes;
import dev.sluice.history.HistoryWriter;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.producer.TaskProducer;
import dev.sluice.producer.TaskProducerBuilder;
import dev.sluice.producer.http.GatewaySettings;
import dev.sluice.producer.source.SourceFormat;
import dev.sluice.producer.source.TaskShape;
import dev.sluice.queue.Quantities;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.queue.SluiceConfig;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sluice produce}: publishes tasks from a file, from standard input, or over HTTP. */
@Command(
    name = "produce",
    mixinStandardHelpOptions = true,
    description =
        "Publishes tasks. SIGTERM stops reading, waits for what is in flight and exits 0.",
    footer = {
      "",
      "Exit codes: 0 done, 1 bad lines, refused tasks, or with --wait failed ones, 2 usage, 69 no"
          + " broker, 75 no room with --on-full reject, 124 no room within --max-wait, or not all"
          + " ended within --wait-timeout."
    })
public final class ProduceCommand implements Callable<Integer> {
  private static final Duration LONGEST = Duration.ofDays(365);
  private static final Duration ADMIN_TIMEOUT = Duration.ofSeconds(10);

  enum OnFull {
    WAIT,
    REJECT
  }

  enum Output {
    TABLE,
    JSON,
    JSONL
  }

  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "QUEUE", description = "The queue that the tasks go to.")
  private String queue = "";

  @Mixin private ConnectionOptions connection = new ConnectionOptions();
  @Mixin private HttpOptions http = new HttpOptions();

  @Option(
      names = "--file",
      paramLabel = "F",
      description = "Read tasks from this file; - is standard input.")
  private @Nullable String file;

  @Option(
      names = "--format",
      paramLabel = "jsonl|lines|csv",
      description = "What the file holds. Default: jsonl.")
  private SourceFormat format = SourceFormat.JSONL;

  @Option(
      names = "--key-field",
      paramLabel = "F",
      description = "The field with the ordering key: a CSV column, or a path as user.id in JSON.")
  private @Nullable String keyField;

  @Option(
      names = "--type",
      paramLabel = "T",
      description = "The type of the tasks. Default: the queue's default type.")
  private @Nullable String type;

  @Option(
      names = "--rate",
      paramLabel = "N",
      description = "Tasks per second, with a burst of one second. Default: no limit.")
  private @Nullable Double rate;

  @Option(
      names = "--on-full",
      paramLabel = "wait|reject",
      description = "Where there is no room: wait, or stop there with exit 75. Default: wait.")
  private OnFull onFull = OnFull.WAIT;

  @Option(
      names = "--max-wait",
      paramLabel = "D",
      description =
          "The longest wait for room, then exit 124; over HTTP, then 429. Default: as long as it"
              + " takes; over HTTP 1s.")
  private @Nullable String maxWait;

  @Option(
      names = "--sheddable",
      description = "These tasks are refused first when the queue gets full.")
  private boolean sheddable;

  @Option(
      names = "--priority",
      paramLabel = "N",
      description = "How urgent the tasks are, where the queue has priorities: 0 is the least.")
  private @Nullable Integer priority;

  @Option(
      names = "--tenant",
      paramLabel = "NAME",
      description = "Whom the tasks are for, where the queue serves tenants in turns.")
  private @Nullable String tenant;

  @Option(
      names = "--delay",
      paramLabel = "D",
      description = "The tasks wait so long after they were read before they may run, as 90s.")
  private @Nullable String delay;

  @Option(
      names = "--deadline",
      paramLabel = "D",
      description = {
        "Tasks that have not begun so long after they were read are not run, as 30s; they end as"
            + " expired."
      })
  private @Nullable String deadline;

  @Option(
      names = "--wait",
      description = {
        "Wait until all tasks have ended, and print a JSON line for each when it does. Exit 1 if one"
            + " failed."
      })
  private boolean awaitResults;

  @Option(
      names = "--wait-timeout",
      paramLabel = "D",
      description = "The longest that --wait waits after the last task was read, then exit 124.")
  private @Nullable String resultsMost;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "The producer's name in the fleet. Default: drawn at random.")
  private @Nullable String name;

  @Option(
      names = "--max-in-flight",
      paramLabel = "N",
      description = "Tasks on their way to the brokers at once. Default: 10000.")
  private int maxInFlight = 10_000;

  @Option(
      names = "--max-in-flight-bytes",
      paramLabel = "B",
      description = "Bytes on their way to the brokers at once. Default: 32MiB.")
  private String maxInFlightBytes = "32MiB";

  @Option(
      names = "--max-line",
      paramLabel = "B",
      description = "The longest line, and the longest task over HTTP. Default: 1MiB.")
  private String maxLine = "1MiB";

  @Option(
      names = "--strict",
      description = "Check all lines first, and publish nothing if one of them is bad.")
  private boolean strict;

  @Option(
      names = "--strict-spool-max",
      paramLabel = "B",
      description = "How much of standard input --strict keeps on disk. Default: 1GiB.")
  private String spoolMax = "1GiB";

  @Option(
      names = "--partitions",
      paramLabel = "N",
      description = "Partitions of the topic where it is created. Default: the queue's, 12.")
  private @Nullable Integer partitions;

  @Option(
      names = "--history",
      paramLabel = "FILE",
      description = "Append one JSON line per task with what became of it.")
  private @Nullable Path history;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "table|json|jsonl",
      description = "How the summary is printed. Default: table.")
  private Output output = Output.TABLE;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Commands.configureLogging(connection.verbose());
    Integer port = http.port;
    String input = file;
    if (resultsMost != null && !awaitResults) {
      throw new ConfigException("--wait-timeout says how long --wait waits; add --wait.");
    }
    if (awaitResults && input == null) {
      throw new ConfigException("--wait goes with --file: over HTTP nobody would read the lines.");
    }
    if ((port == null) == (input == null)) {
      throw new ConfigException(
          "Say where the tasks come from: either --file F (- for standard input) or --http PORT.");
    }
    SluiceConfig config = connection.config();
    KafkaSettings kafka = connection.kafka(config);
    QueueDefinition definition = config.queue(queue);
    ProduceRun run = new ProduceRun(commandSpec().commandLine(), SystemClock.INSTANCE);
    Summary summary;
    if (input != null) {
      TaskShape shape =
          new TaskShape(queue, type == null ? definition.defaultType() : type, keyField, maxLine());
      ResultLines results =
          awaitResults ? new ResultLines(commandSpec().commandLine().getOut()) : null;
      Duration most = resultsMost == null ? LONGEST : Quantities.duration(resultsMost);
      try (Input in = new Input(input, System.in, Quantities.bytes(spoolMax))) {
        if (strict && !run.allGood(in, format, shape)) {
          return finish(run.summary(), ExitCodes.FAILED);
        }
        // Opened before a broker is asked for: a wrong file name is the user's first question.
        try (var stream = in.open();
            var source = format.open(stream, shape);
            HistoryWriter writer = history();
            TaskProducer producer = producer(config, kafka, Map.of(queue, definition), writer)) {
          run.publish(
              producer, source, in.name(), room(null), codeWhenFull(), marks(), results, most);
        }
      }
      if (awaitResults) {
        // Standard output has one line per task, and nothing else.
        commandSpec().commandLine().getErr().println("sluice produce: " + run.summary().text());
        commandSpec().commandLine().getErr().flush();
        return run.exitCode();
      }
      summary = run.summary();
    } else {
      Map<String, QueueDefinition> served = new LinkedHashMap<>(config.queues());
      served.put(queue, definition);
      Map<String, String> types = new HashMap<>();
      served.forEach((name, each) -> types.put(name, each.defaultType()));
      if (type != null) {
        types.put(queue, type);
      }
      GatewaySettings settings =
          http.settings(port == null ? 0 : port, types, maxLine(), room(Duration.ofSeconds(1)));
      try (HistoryWriter writer = history();
          TaskProducer producer = producer(config, kafka, served, writer)) {
        run.serve(producer, settings);
      }
      return run.exitCode();
    }
    return finish(summary, run.exitCode());
  }

  private UnaryOperator<Task<byte[]>> marks() {
    Duration lasts = deadline == null ? null : Quantities.duration(deadline);
    Duration waits = delay == null ? null : Quantities.duration(delay);
    return task -> {
      Task<byte[]> marked = sheddable ? task.shedFirst() : task;
      if (awaitResults) {
        marked = marked.withResult();
      }
      if (priority != null) {
        marked = marked.priority(priority);
      }
      if (tenant != null) {
        marked = marked.tenant(tenant);
      }
      Instant now = Instant.ofEpochMilli(SystemClock.INSTANCE.epochMillis());
      if (waits != null) {
        marked = marked.notBefore(now.plus(waits));
      }
      return lasts == null ? marked : marked.deadline(now.plus(lasts));
    };
  }

  private int finish(Summary summary, int exitCode) {
    var out = commandSpec().commandLine().getOut();
    out.println(output == Output.TABLE ? summary.text() : summary.json());
    out.flush();
    return exitCode;
  }

  private TaskProducer producer(
      SluiceConfig config,
      KafkaSettings kafka,
      Map<String, QueueDefinition> served,
      @Nullable HistoryWriter writer) {
    TaskProducerBuilder builder =
        TaskProducer.builder(kafka.bootstrapServers())
            .maxInFlightTasks(maxInFlight)
            .maxInFlightBytes(Quantities.bytes(maxInFlightBytes))
            .source("sluice/produce")
            .fleet(config.fleet())
            .history(writer);
    Map<String, Object> properties = kafka.producer();
    properties.remove("key.serializer");
    properties.remove("value.serializer");
    builder.kafkaProperties(properties);
    if (name != null) {
      builder.name(name);
    }
    Double perSecond = rate;
    if (perSecond != null) {
      builder.rate(perSecond, Math.max(1, Math.round(Math.min(perSecond, 1e9))));
    }
    Map<String, Integer> topics = new HashMap<>();
    served.forEach(
        (name, each) -> {
          builder.topic(name, each.topic());
          if (each.capacity().tasks() > 0) {
            builder.capacity(name, each.capacity().tasks());
          }
          if (each.priorities().levels() > 1) {
            builder.priorities(name, each.priorities().levels());
          }
          boolean named = name.equals(queue) && partitions != null;
          for (String topic : each.topics()) {
            topics.put(topic, named ? partitions : Integer.valueOf(each.partitions()));
          }
        });
    try (Topics admin = new Topics(kafka, ADMIN_TIMEOUT)) {
      // Only those that are there: what is created a moment ago may not be described yet.
      admin.refuseCompacted(
          topics.keySet().stream().filter(topic -> admin.partitions(topic).isPresent()).toList());
      admin.ensure(topics);
    }
    return builder.build();
  }

  private @Nullable HistoryWriter history() {
    return history == null ? null : HistoryWriter.ofProducer(history, SystemClock.INSTANCE);
  }

  private int maxLine() {
    return (int) Math.min(Integer.MAX_VALUE, Quantities.bytes(maxLine));
  }

  private Duration room(@Nullable Duration byDefault) {
    if (onFull == OnFull.REJECT) {
      if (maxWait != null) {
        throw new ConfigException("--on-full reject does not wait; leave out --max-wait.");
      }
      return Duration.ZERO;
    }
    if (maxWait != null) {
      return Quantities.duration(maxWait);
    }
    return byDefault == null ? FilePublisher.forEver() : byDefault;
  }

  private int codeWhenFull() {
    return onFull == OnFull.REJECT ? ExitCodes.QUEUE_FULL : ExitCodes.TIME_OUT;
  }

  private CommandSpec commandSpec() {
    CommandSpec known = spec;
    if (known == null) {
      throw new IllegalStateException("The command was not started by picocli");
    }
    return known;
  }
}
