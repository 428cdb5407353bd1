// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.ConfigException;
import dev.sluice.fleet.Report;
import dev.sluice.fleet.kafka.FleetMember;
import dev.sluice.flow.gate.ProducerGate;
import dev.sluice.flow.limit.TokenBucket;
import dev.sluice.history.HistoryWriter;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.producer.gate.AdmissionClient;
import dev.sluice.producer.gate.CreditDesk;
import dev.sluice.producer.kafka.QueueJoin;
import dev.sluice.producer.kafka.ResultDesk;
import dev.sluice.queue.CapacityDefinition;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.time.Clock;
import dev.sluice.time.SystemClock;
import dev.sluice.wire.JsonPayloadCodec;
import dev.sluice.wire.PayloadCodec;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/** Settings of a {@link TaskProducer}. None of them changes at run time. For one thread. */
public final class TaskProducerBuilder {
  /** Sizes and times of the task client that the small clients of the fleet do not share. */
  private static final Set<String> OF_THE_PRODUCER =
      Set.of(
          "linger.ms",
          "batch.size",
          "buffer.memory",
          "compression.type",
          "max.request.size",
          "max.block.ms",
          "delivery.timeout.ms",
          "request.timeout.ms",
          "partitioner.class",
          "interceptor.classes",
          "metric.reporters",
          "client.id");

  private static final int IN_FLIGHT_TASKS_MAX = 10_000_000;
  private static final long IN_FLIGHT_BYTES_MAX = 1L << 40;

  private final Map<String, Object> kafkaProperties = new HashMap<>();
  private final Map<String, String> topics = new HashMap<>();
  private int maxInFlightTasks = 10_000;
  private long maxInFlightBytes = 32L << 20;
  private double ratePerSecond;
  private long burst;
  private Duration closeTimeout = Duration.ofSeconds(10);
  private String source = "sluice";
  private PayloadCodec codec = new JsonPayloadCodec();
  private Clock clock = SystemClock.INSTANCE;
  private RandomGenerator random = new SplitRandom();
  private @Nullable HistoryWriter history;
  private @Nullable MeterRegistry meters;
  private final Map<String, Long> capacities = new HashMap<>();
  private final Map<String, Integer> priorities = new HashMap<>();
  private FleetDefinition fleet = FleetDefinition.DEFAULT;
  private String name = "";

  TaskProducerBuilder(String bootstrapServers) {
    kafkaProperties.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
  }

  /**
   * One property of the Kafka client, as Kafka names it: security, time-outs, compression. {@code
   * acks} and {@code enable.idempotence} stay as they are; {@code delivery.timeout.ms} (default
   * 60,000) and {@code max.block.ms} (default 5,000, the longest a submit waits for a broker to
   * name the partitions of a topic) are at most 600,000.
   */
  public TaskProducerBuilder kafkaProperty(String name, Object value) {
    kafkaProperties.put(name, value);
    return this;
  }

  /** Several properties of the Kafka client. */
  public TaskProducerBuilder kafkaProperties(Map<String, ?> properties) {
    kafkaProperties.putAll(properties);
    return this;
  }

  /** How many tasks may be on their way to the brokers: 1 to 10,000,000; default 10,000. */
  public TaskProducerBuilder maxInFlightTasks(int tasks) {
    if (tasks < 1 || tasks > IN_FLIGHT_TASKS_MAX) {
      throw new ConfigException(
          "maxInFlightTasks=" + tasks + " is outside of 1 to " + IN_FLIGHT_TASKS_MAX + ".");
    }
    maxInFlightTasks = tasks;
    return this;
  }

  /**
   * How many bytes they may have together, counted as payload, key and headers: 1 KiB to 1 TiB;
   * default 32 MiB. A task above it is refused.
   */
  public TaskProducerBuilder maxInFlightBytes(long bytes) {
    if (bytes < 1_024 || bytes > IN_FLIGHT_BYTES_MAX) {
      throw new ConfigException(
          "maxInFlightBytes=" + bytes + " is outside of 1024 to " + IN_FLIGHT_BYTES_MAX + ".");
    }
    maxInFlightBytes = bytes;
    return this;
  }

  /**
   * At most this many tasks per second leave this producer; default without limit.
   *
   * @param tasksPerSecond 0.001 to 9,000,000
   * @param newBurst how many may leave at once after a pause: 1 to 1,000,000,000
   */
  public TaskProducerBuilder rate(double tasksPerSecond, long newBurst) {
    try {
      TokenBucket checked = new TokenBucket(tasksPerSecond, newBurst, 0);
      burst = checked.burst();
    } catch (IllegalArgumentException e) {
      throw new ConfigException("rate: " + e.getMessage() + ".", e);
    }
    ratePerSecond = tasksPerSecond;
    return this;
  }

  /** The topic of a queue; default the queue's own name. */
  public TaskProducerBuilder topic(String queue, String topic) {
    topics.put(queue, topic);
    return this;
  }

  /**
   * The capacity of a queue, for the time before a worker has declared it: this producer then waits
   * for a worker, and does not fill the queue meanwhile.
   *
   * @param tasks 1 to 1,000,000,000,000
   */
  public TaskProducerBuilder capacity(String queue, long tasks) {
    capacities.put(queue, new CapacityDefinition(tasks, Optional.empty()).tasks());
    return this;
  }

  /**
   * How many priorities a queue has, for the time before a worker has declared it.
   *
   * @param levels 1 to 10
   */
  public TaskProducerBuilder priorities(String queue, int levels) {
    priorities.put(queue, PrioritiesDefinition.levels(levels).levels());
    return this;
  }

  /** How the processes of the fleet find each other; all of them must agree. */
  public TaskProducerBuilder fleet(FleetDefinition definition) {
    fleet = definition;
    return this;
  }

  /** The name of this producer among the processes of the fleet. Default: drawn at random. */
  public TaskProducerBuilder name(String newName) {
    name = newName;
    return this;
  }

  /** How long {@link TaskProducer#close()} waits for what is in flight; default 10 s. */
  public TaskProducerBuilder closeTimeout(Duration timeout) {
    closeTimeout = timeout;
    return this;
  }

  /** The CloudEvents source of the tasks, a URI reference that names this producer. */
  public TaskProducerBuilder source(String newSource) {
    source = newSource;
    return this;
  }

  /** How payloads become bytes; default JSON. */
  public TaskProducerBuilder codec(PayloadCodec newCodec) {
    codec = newCodec;
    return this;
  }

  /** Where to record how every submit ended; the caller closes it after the producer. */
  public TaskProducerBuilder history(@Nullable HistoryWriter newHistory) {
    history = newHistory;
    return this;
  }

  /** Where to register the meters; default nowhere. */
  public TaskProducerBuilder meters(MeterRegistry registry) {
    meters = registry;
    return this;
  }

  /** The clock; for tests. */
  public TaskProducerBuilder clock(Clock newClock) {
    clock = newClock;
    return this;
  }

  /** The source of the random bits in task ids; thread-safe; for tests. */
  public TaskProducerBuilder random(RandomGenerator newRandom) {
    random = newRandom;
    return this;
  }

  /**
   * Creates the producer. It connects in the background.
   *
   * @throws ConfigException if a setting is wrong
   */
  public TaskProducer build() {
    return build(KafkaProducer::new, true);
  }

  /** Creates the producer around another client; for tests of this module. */
  TaskProducer build(Function<Map<String, Object>, Producer<byte[], byte[]>> client) {
    return build(client, false);
  }

  private TaskProducer build(
      Function<Map<String, Object>, Producer<byte[], byte[]>> client, boolean inFleet) {
    Map<String, Object> properties = ProducerSettings.complete(kafkaProperties, maxInFlightBytes);
    TokenBucket bucket = burst == 0 ? null : new TokenBucket(ratePerSecond, burst, clock.nanos());
    AdmissionClient admission =
        new AdmissionClient(new ProducerGate(maxInFlightTasks, maxInFlightBytes, bucket), clock);
    Outcomes outcomes = new Outcomes(admission, history, new ProducerMeters(meters, admission));
    try {
      Producer<byte[], byte[]> kafka = client.apply(properties);
      CreditDesk desk = inFleet ? desk(properties) : CreditDesk.withoutFleet(clock, random);
      TaskEncoder encoder =
          new TaskEncoder(
              codec,
              Map.copyOf(topics),
              new PriorityLevels(priorities, desk),
              source,
              random,
              clock);
      FleetMember member = inFleet ? member(desk) : null;
      Delays delays = new Delays(inFleet ? settings() : null, fleet, clock);
      ResultDesk results =
          new ResultDesk(settings(), codec, clock, name.isEmpty() ? "sluice-results" : name);
      return new TaskProducer(
          kafka,
          admission,
          desk,
          member,
          encoder,
          delays,
          results,
          () -> new QueueJoin(settings(), clock),
          new Batches(settings(), fleet, clock),
          outcomes,
          clock,
          closeTimeout,
          fleet.settingsTopic());
    } catch (org.apache.kafka.common.config.ConfigException e) {
      throw new ConfigException("A property of the Kafka client is wrong: " + e.getMessage(), e);
    } catch (KafkaException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new ConfigException(
          "The Kafka client cannot be created: "
              + cause.getMessage()
              + ". Check the bootstrap servers and the security properties.",
          e);
    }
  }

  private CreditDesk desk(Map<String, Object> properties) {
    long delivery = millis(properties, ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG);
    long request = millis(properties, ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG);
    long block = millis(properties, ProducerConfig.MAX_BLOCK_MS_CONFIG);
    return new CreditDesk(
        capacities,
        TimeUnit.MILLISECONDS.toNanos(delivery + request),
        TimeUnit.MILLISECONDS.toNanos(block),
        clock,
        random);
  }

  private static long millis(Map<String, Object> properties, String name) {
    return Long.parseLong(String.valueOf(properties.get(name)).trim());
  }

  /** For the small clients beside the one that publishes. */
  private KafkaSettings settings() {
    Map<String, String> texts = new HashMap<>();
    kafkaProperties.forEach(
        (property, value) -> {
          if (!OF_THE_PRODUCER.contains(property)) {
            texts.put(property, String.valueOf(value));
          }
        });
    return KafkaSettings.of(
        String.valueOf(kafkaProperties.get(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG)), texts);
  }

  private FleetMember member(CreditDesk desk) {
    String shown = name.isEmpty() ? "producer-" + Long.toHexString(random.nextLong()) : name;
    FleetMember member =
        new FleetMember(
            settings(),
            fleet,
            FleetMember.Identity.draw(shown, Report.Kind.PRODUCER, random),
            desk,
            clock,
            random);
    desk.wakeBy(member::wake);
    member.start();
    return member;
  }
}
