// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.cli;

import dev.sluice.ConfigException;
import dev.sluice.Effects;
import dev.sluice.OnRetry;
import dev.sluice.Order;
import dev.sluice.TaskHandler;
import dev.sluice.cli.Commands;
import dev.sluice.cli.ConnectionOptions;
import dev.sluice.cli.ExitCodes;
import dev.sluice.history.HistoryWriter;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.queue.BulkheadDefinition;
import dev.sluice.queue.ChildrenDefinition;
import dev.sluice.queue.DedupeDefinition;
import dev.sluice.queue.HandlerDefinition;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.queue.Quantities;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.queue.RateLimiterDefinition;
import dev.sluice.queue.SluiceConfig;
import dev.sluice.queue.TenantsDefinition;
import dev.sluice.time.SystemClock;
import dev.sluice.wire.JsonPayloadCodec;
import dev.sluice.worker.Worker;
import dev.sluice.worker.WorkerBuilder;
import dev.sluice.worker.WorkerMetrics;
import dev.sluice.worker.handler.HandlerSpec;
import dev.sluice.worker.health.HealthServer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.File;
import java.lang.ProcessBuilder.Redirect;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sluice work}: a worker process. */
@Command(
    name = "work",
    mixinStandardHelpOptions = true,
    description =
        "Works the tasks of queues. SIGTERM drains and exits 0; a second one stops at once.")
public final class WorkCommand implements Callable<Integer> {
  private static final long STOP_MARGIN_MILLIS = 5_000;

  @Parameters(arity = "1..*", paramLabel = "QUEUE", description = "The queues to work.")
  private List<String> queues = new ArrayList<>();

  @Mixin private ConnectionOptions connection = new ConnectionOptions();

  @Option(
      names = "--handler",
      paramLabel = "SPEC",
      description = {
        "What is done with each task:",
        "log             writes a line to the log",
        "sleep:DURATION  waits",
        "exec:COMMAND    runs a command, the payload on its standard input;",
        "                what it prints goes to standard output",
        "lines:COMMAND   gives it as a JSON line to a process that lives on, which answers with one;",
        "                see docs/handlers-in-any-language.md",
        "http:URL        posts it; 429 and Retry-After hold the worker back",
        "class:NAME      calls a TaskHandler on the class path"
      })
  private @Nullable String handler;

  @Option(
      names = "--classpath",
      paramLabel = "JAR",
      description = "Jars and folders for class:NAME, joined by ':'. ")
  private @Nullable String classpath;

  @Option(
      names = "--order",
      paramLabel = "key|partition|none",
      description = "What may not overlap. Default: key.")
  private @Nullable Order order;

  @Option(
      names = "--concurrency",
      paramLabel = "N",
      description = "Tasks that run at once. Default: 16.")
  private @Nullable Integer concurrency;

  @Option(
      names = "--bulkhead",
      paramLabel = "N",
      description = "Tasks of one handler that run at once. Default: no such limit.")
  private @Nullable Integer bulkhead;

  @Option(
      names = "--rate",
      paramLabel = "N",
      description = "Tasks that start per second in this process. Default: no limit.")
  private @Nullable Integer rate;

  @Mixin private FleetOptions fleetOptions = new FleetOptions();

  @Option(
      names = "--buffer",
      paramLabel = "N",
      description = "Tasks held per partition. Default: 4000.")
  private @Nullable Integer buffer;

  @Option(
      names = "--buffer-bytes",
      paramLabel = "B",
      description = "Bytes held in this process, as 64MiB. Default: 64MiB.")
  private @Nullable String bufferBytes;

  @Option(
      names = "--attempts",
      paramLabel = "N",
      description = "Attempts before a task is a dead letter. Default: 3.")
  private @Nullable Integer attempts;

  @Option(
      names = "--on-retry",
      paramLabel = "hold-key|let-pass",
      converter = OnRetryConverter.class,
      description = {
        "Whether a task that waits for its next attempt holds back the later ones of its key, or"
            + " lets them pass where the wait is a second or longer. Default: hold-key."
      })
  private @Nullable OnRetry onRetry;

  @Option(
      names = "--effects",
      paramLabel = "at-least-once|transactional",
      converter = EffectsConverter.class,
      description = {
        "Whether what a handler submits is published before its task is done, or together with that"
            + " in one transaction. Default: at-least-once."
      })
  private @Nullable Effects effects;

  @Option(
      names = "--dedupe",
      paramLabel = "D",
      description = {
        "A task does not run if one of its id came before it in its partition within this time, as"
            + " 1h. Default: each record is a task."
      })
  private @Nullable String dedupe;

  @Option(
      names = "--priorities",
      paramLabel = "W,...",
      split = ",",
      description = {
        "The weights of the priorities, from 0 on, as 1,9: a topic for each. Default: one priority."
      })
  private @Nullable List<Integer> priorities;

  @Option(
      names = "--tenants",
      description = "Serve tenants in turns, whoever has submitted most. Default: as they come.")
  private boolean tenants;

  @Option(
      names = "--max-depth",
      paramLabel = "N",
      description = {
        "How many generations of tasks may follow one that a producer has submitted. Default: 100."
      })
  private @Nullable Integer maxDepth;

  @Option(
      names = "--max-children",
      paramLabel = "N",
      description = {
        "How many tasks one task may submit into its own queue; with --capacity, it waits for room"
            + " for them. Default: as many as it likes, and they pass the capacity by."
      })
  private @Nullable Integer maxChildren;

  @Option(
      names = "--timeout",
      paramLabel = "D",
      description = "The longest that one attempt may take. Default: 1m.")
  private @Nullable String timeout;

  @Option(
      names = "--handover",
      paramLabel = "D",
      description = "How long a stop or a rebalance waits for running tasks. Default: 5s.")
  private @Nullable String handover;

  @Option(
      names = "--group",
      paramLabel = "ID",
      description = "The consumer group. Default: sluice-QUEUE.")
  private @Nullable String group;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "The worker's name. Default: drawn at random.")
  private @Nullable String name;

  @Option(
      names = "--no-delays",
      description = {
        "Do not serve delayed tasks; at least one worker of a fleet has to. Default: whoever is"
            + " there serves them, those of other queues included."
      })
  private boolean noDelays;

  @Option(
      names = "--until-empty",
      description = "Exit 0 as soon as all tasks of the queues are done.")
  private boolean untilEmpty;

  @Option(
      names = "--metrics-port",
      paramLabel = "P",
      description = "Serve /livez, /readyz, /startupz and /metrics there; 0 takes a free port.")
  private @Nullable Integer metricsPort;

  @Option(
      names = "--metrics-bind",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description = "Address of the metrics port. Default: ${DEFAULT-VALUE}.")
  private String metricsBind = "127.0.0.1";

  @Option(
      names = "--history",
      paramLabel = "FILE",
      description = "Append one JSON line per event of a task.")
  private @Nullable Path history;

  @Override
  public Integer call() throws InterruptedException {
    Commands.configureLogging(connection.verbose());
    SluiceConfig config = connection.config();
    KafkaSettings kafka = connection.kafka(config);
    ClassLoader loader = loader();
    JsonPayloadCodec codec = new JsonPayloadCodec();
    Map<String, TaskHandler<byte[]>> made = new LinkedHashMap<>();
    Function<String, TaskHandler<byte[]>> handlerOf =
        spec ->
            made.computeIfAbsent(spec, s -> HandlerSpec.parse(s, codec, loader, Redirect.INHERIT));
    WorkerBuilder builder = Worker.builder(kafka).fleet(config.fleet()).delays(!noDelays);
    if (name != null) {
      builder.name(name);
    }
    long longest = 0;
    for (String queue : queues) {
      QueueDefinition definition = definition(config.queue(queue));
      longest = Math.max(longest, definition.handover().toMillis());
      builder.definedQueue(definition, handlerOf);
    }
    try (HistoryWriter writer = historyWriter(builder)) {
      if (writer != null) {
        builder.history(writer);
      }
      return run(builder, longest + STOP_MARGIN_MILLIS);
    } finally {
      made.values().forEach(WorkCommand::close);
    }
  }

  private static void close(TaskHandler<byte[]> handler) {
    if (handler instanceof AutoCloseable closeable) {
      try {
        closeable.close();
      } catch (Exception e) {
        LoggerFactory.getLogger(WorkCommand.class).warn("A handler failed to close", e);
      }
    }
  }

  private int run(WorkerBuilder builder, long stopMillis) throws InterruptedException {
    CountDownLatch drained = new CountDownLatch(1);
    try (Worker worker = builder.start();
        HealthServer health = healthServer(worker)) {
      if (health != null) {
        LoggerFactory.getLogger(WorkCommand.class)
            .info("[worker={}] Metrics and health on port {}", worker.name(), health.port());
      }
      if (untilEmpty) {
        worker.stopWhenEmpty();
      }
      Commands.onStopSignal(worker::stop, drained, stopMillis);
      return worker.awaitShutdown() ? ExitCodes.DONE : ExitCodes.FAILED;
    } finally {
      drained.countDown();
    }
  }

  private @Nullable HistoryWriter historyWriter(WorkerBuilder builder) {
    Path file = history;
    if (file == null) {
      return null;
    }
    return HistoryWriter.ofWorker(
        file, builder.name(), UUID.randomUUID().toString(), SystemClock.INSTANCE);
  }

  private @Nullable HealthServer healthServer(Worker worker) {
    Integer port = metricsPort;
    if (port == null) {
      return null;
    }
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    WorkerMetrics.bind(worker, registry);
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    return new HealthServer(
        metricsBind,
        port,
        new HealthServer.Source() {
          @Override
          public boolean live() {
            return worker.live();
          }

          @Override
          public boolean ready() {
            return worker.ready();
          }

          @Override
          public String json() {
            return worker.json();
          }

          @Override
          public String metrics() {
            return registry.scrape();
          }
        });
  }

  private QueueDefinition definition(QueueDefinition base) {
    QueueDefinition d = base;
    if (order != null) {
      d = d.withOrder(order);
    }
    if (onRetry != null) {
      d = d.withOnRetry(onRetry);
    }
    if (effects != null) {
      d = d.withEffects(effects);
    }
    if (dedupe != null) {
      d = d.withDedupe(new DedupeDefinition(Quantities.duration(dedupe), d.dedupe().maxIds()));
    }
    if (priorities != null) {
      d = d.withPriorities(new PrioritiesDefinition(priorities, d.priorities().floor()));
    }
    if (maxDepth != null || maxChildren != null) {
      d =
          d.withChildren(
              new ChildrenDefinition(
                  maxDepth == null ? d.children().maxDepth() : maxDepth,
                  maxChildren == null ? d.children().perTask() : maxChildren));
    }
    if (tenants && !d.tenants().on()) {
      d = d.withTenants(TenantsDefinition.EQUAL);
    }
    if (concurrency != null) {
      d = d.withConcurrency(concurrency);
    }
    if (buffer != null || bufferBytes != null) {
      d =
          d.withBuffer(
              buffer == null ? d.buffer() : buffer,
              bufferBytes == null ? d.bufferBytes() : Quantities.bytes(bufferBytes));
    }
    if (handover != null) {
      d = d.withHandover(Quantities.duration(handover));
    }
    if (group != null) {
      d = d.withGroup(group);
    }
    if (handler != null) {
      d =
          d.withHandler(
              QueueDefinition.ANY_TYPE,
              d.handlers()
                  .getOrDefault(QueueDefinition.ANY_TYPE, HandlerDefinition.DEFAULT)
                  .withSpec(handler));
    }
    if (d.handlers().isEmpty()) {
      throw new ConfigException(
          "Queue "
              + d.name()
              + " has no handler; say --handler SPEC, or define handlers in --config");
    }
    d = fleetOptions.over(d);
    for (Map.Entry<String, HandlerDefinition> entry : d.handlers().entrySet()) {
      d = d.withHandler(entry.getKey(), limited(entry.getValue()));
    }
    return d;
  }

  private HandlerDefinition limited(HandlerDefinition base) {
    HandlerDefinition h = base;
    if (bulkhead != null) {
      h = h.withBulkhead(new BulkheadDefinition(bulkhead));
    }
    if (rate != null) {
      h = h.withRateLimiter(RateLimiterDefinition.perSecond(rate));
    }
    if (attempts != null) {
      h = h.withRetry(h.retry().withMaxAttempts(attempts));
    }
    if (timeout != null) {
      h = h.withTimeout(Quantities.duration(timeout));
    }
    return h;
  }

  private ClassLoader loader() {
    String path = classpath;
    ClassLoader own = WorkCommand.class.getClassLoader();
    if (path == null) {
      return own;
    }
    List<URL> urls = new ArrayList<>();
    for (String entry : path.split(File.pathSeparator)) {
      Path file = Path.of(entry);
      if (!file.toFile().exists()) {
        throw new ConfigException("--classpath names " + entry + ", which does not exist");
      }
      try {
        urls.add(file.toUri().toURL());
      } catch (MalformedURLException e) {
        throw new ConfigException("--classpath names " + entry + ", which is no path", e);
      }
    }
    return new URLClassLoader(urls.toArray(URL[]::new), own);
  }
}
