// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import dev.sluice.ConfigException;
import dev.sluice.TaskHandler;
import dev.sluice.history.HistoryWriter;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.queue.HandlerDefinition;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.time.Clock;
import dev.sluice.time.SystemClock;
import dev.sluice.wire.JsonPayloadCodec;
import dev.sluice.wire.PayloadCodec;
import dev.sluice.worker.lease.LeaseDesk;
import dev.sluice.worker.limit.HostBulkheads;
import dev.sluice.worker.thread.HandlerThreadFactory;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Settings of a worker. Not thread-safe. */
public final class WorkerBuilder {
  private static final int HALTED = 1;

  final KafkaSettings kafka;
  final Map<String, QueueBuilder> queues = new LinkedHashMap<>();
  final RandomGenerator random = new SecureRandom();
  PayloadCodec codec = new JsonPayloadCodec();
  String name = "worker-" + Long.toHexString(random.nextLong() & 0xffffffL);
  Clock clock = SystemClock.INSTANCE;
  ThreadFactory threads = HandlerThreadFactory.preferred("sluice-handler");
  final LeaseDesk desk = new LeaseDesk();
  @Nullable HistoryWriter history;
  final Map<String, String> topics = new LinkedHashMap<>();
  final HostBulkheads hosts = new HostBulkheads();
  boolean createTopics = true;
  boolean delays = true;
  FleetDefinition fleet = FleetDefinition.DEFAULT;
  Runnable halt = () -> Runtime.getRuntime().halt(HALTED);

  WorkerBuilder(KafkaSettings kafka) {
    this.kafka = kafka;
  }

  /** The name in logs, metrics and dead letters. Default: drawn at random. */
  public WorkerBuilder name(String workerName) {
    name = workerName;
    return this;
  }

  /** The name in logs, metrics and dead letters. */
  public String name() {
    return name;
  }

  /** Works a queue. */
  public WorkerBuilder queue(String queue, Consumer<QueueBuilder> settings) {
    return queue(QueueDefinition.named(queue), settings);
  }

  /** Works a queue that is defined elsewhere; the settings come on top. */
  public WorkerBuilder queue(QueueDefinition definition, Consumer<QueueBuilder> settings) {
    QueueBuilder builder = new QueueBuilder(definition, codec, desk);
    settings.accept(builder);
    if (queues.put(definition.name(), builder) != null) {
      throw new ConfigException("Queue " + definition.name() + " is given twice");
    }
    return this;
  }

  /**
   * Works a queue with the handlers of its definition.
   *
   * @param handlerOf makes a handler from its specification
   */
  public WorkerBuilder definedQueue(
      QueueDefinition definition, Function<String, TaskHandler<byte[]>> handlerOf) {
    return queue(
        definition,
        builder ->
            definition
                .handlers()
                .forEach((type, handler) -> add(builder, definition, type, handler, handlerOf)));
  }

  private static void add(
      QueueBuilder builder,
      QueueDefinition queue,
      String type,
      HandlerDefinition handler,
      Function<String, TaskHandler<byte[]>> handlerOf) {
    String spec =
        handler
            .spec()
            .orElseThrow(
                () ->
                    new ConfigException(
                        "queues."
                            + queue.name()
                            + ".handlers."
                            + type
                            + " names no handler; set"
                            + " 'handler' there, for example to log"));
    builder.add(type, handlerOf.apply(spec), HandlerSettings.of(handler));
  }

  /** Decodes typed payloads. Default: JSON. To be set before the queues. */
  public WorkerBuilder payloads(PayloadCodec payloads) {
    codec = payloads;
    return this;
  }

  /** Writes the history of all tasks. The writer stays the caller's to close. */
  public WorkerBuilder history(HistoryWriter writer) {
    history = writer;
    return this;
  }

  /**
   * The topic of a queue that this worker does not work, but whose tasks its handlers submit.
   * Default: the name of the queue.
   */
  public WorkerBuilder topic(String queue, String topic) {
    topics.put(queue, topic);
    return this;
  }

  /** Makes the handler threads. Default: virtual ones on Java 24 and later, else platform ones. */
  public WorkerBuilder threads(ThreadFactory factory) {
    threads = factory;
    return this;
  }

  /** Whether missing topics are created. Default: yes. */
  public WorkerBuilder createTopics(boolean create) {
    createTopics = create;
    return this;
  }

  /**
   * Whether this worker also serves delayed tasks, those of other queues included. Default: yes; at
   * least one worker of a fleet has to.
   */
  public WorkerBuilder delays(boolean serve) {
    delays = serve;
    return this;
  }

  /** How the processes of the fleet find each other; all of them must agree. */
  public WorkerBuilder fleet(FleetDefinition definition) {
    fleet = definition;
    return this;
  }

  /**
   * What ends this process when a task under a strict fleet limit outlives its time-out by far
   * while the worker is cut off from the fleet. Default: the JVM is halted, because only that keeps
   * the limit; whoever replaces it must end the process too.
   */
  public WorkerBuilder halt(Runnable end) {
    halt = end;
    return this;
  }

  private static void checkBatch(QueueDefinition queue, String type, QueueBuilder.Handled handled) {
    int size = handled.settings().batchSize;
    if (size > queue.concurrency()) {
      throw new ConfigException(
          "The handler '"
              + type
              + "' of queue "
              + queue.name()
              + " works "
              + size
              + " tasks at once, each with a thread, and its concurrency is "
              + queue.concurrency()
              + ". Raise concurrency, or make the batch smaller.");
    }
  }

  /**
   * Starts the worker.
   *
   * @throws ConfigException if a setting or a topic is not right
   * @throws dev.sluice.kafka.BrokerUnavailableException if no broker answers
   */
  public Worker start() {
    if (queues.isEmpty()) {
      throw new ConfigException("The worker has no queue; add one with queue(...)");
    }
    queues.forEach(
        (queue, builder) -> {
          if (builder.handlers().isEmpty()) {
            throw new ConfigException(
                "Queue " + queue + " has no handler; add one with handle(...) or --handler");
          }
          builder
              .handlers()
              .forEach((type, handled) -> checkBatch(builder.definition(), type, handled));
        });
    return Worker.start(this);
  }
}
