// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import dev.sluice.ConfigException;
import dev.sluice.Effects;
import dev.sluice.OnRetry;
import dev.sluice.Order;
import dev.sluice.flow.retry.RetryPolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * {@code sluice.yaml} and what the environment says over it. Immutable.
 *
 * <p>An environment variable {@code SLUICE_BOOTSTRAP_SERVERS} stands for {@code bootstrapServers},
 * and {@code SLUICE_QUEUES_ORDERS_CONCURRENCY} for {@code queues.orders.concurrency}: words in
 * capitals, joined by underscores; it may set what the file names or what has a known name.
 *
 * @param bootstrapServers the brokers
 * @param kafka properties for every Kafka client
 * @param queues by name
 * @param fleet how the processes find each other
 */
public record SluiceConfig(
    Optional<String> bootstrapServers,
    Map<String, String> kafka,
    Map<String, QueueDefinition> queues,
    FleetDefinition fleet) {
  /** Nothing configured. */
  public static final SluiceConfig EMPTY =
      new SluiceConfig(Optional.empty(), Map.of(), Map.of(), FleetDefinition.DEFAULT);

  private static final long FILE_BYTES_MAX = 1 << 20;
  private static final String PREFIX = "SLUICE_";

  public SluiceConfig {
    kafka = Map.copyOf(kafka);
    queues = Map.copyOf(queues);
  }

  /** Without the values of Kafka's properties, which may be secrets. */
  @Override
  public String toString() {
    return "SluiceConfig[bootstrapServers="
        + bootstrapServers.orElse("")
        + ", kafka="
        + new TreeSet<>(kafka.keySet())
        + ", queues="
        + queues.values()
        + "]";
  }

  /** The queue of that name: as configured, or with all defaults. */
  public QueueDefinition queue(String name) {
    QueueDefinition configured = queues.get(name);
    return configured == null ? QueueDefinition.named(name) : configured;
  }

  /**
   * Reads a file, and the environment over it.
   *
   * @throws ConfigException if the file cannot be read or something in it is not right; the text
   *     names the place
   */
  public static SluiceConfig read(Path file, Map<String, String> environment) {
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new ConfigException(
            file
                + " has "
                + Files.size(file)
                + " bytes; a configuration has at most "
                + FILE_BYTES_MAX);
      }
      return parse(file.toString(), Files.readString(file), environment);
    } catch (IOException e) {
      throw new ConfigException("The configuration " + file + " cannot be read: " + e, e);
    }
  }

  /** Reads the text of a file; {@code name} stands in errors. */
  public static SluiceConfig parse(String name, String yaml, Map<String, String> environment) {
    YAMLMapper mapper =
        YAMLMapper.builder(
                YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    JsonNode root;
    try {
      refuseAliases(name, mapper.getFactory(), yaml);
      root = mapper.readTree(yaml);
    } catch (JacksonException e) {
      throw new ConfigException(
          name
              + ": line "
              + (e.getLocation() == null ? "?" : e.getLocation().getLineNr())
              + ": "
              + e.getOriginalMessage(),
          e);
    }
    ObjectNode object =
        root == null || root.isMissingNode() || root.isNull()
            ? mapper.createObjectNode()
            : asObject(name, root);
    environment.forEach((variable, value) -> override(object, variable, value));
    return read(new YamlObject(name, "", object));
  }

  /** Jackson reads an alias as a text, its name, which is not what was meant. */
  private static void refuseAliases(String name, YAMLFactory factory, String yaml)
      throws JacksonException {
    try (YAMLParser parser = factory.createParser(yaml)) {
      while (parser.nextToken() != null) {
        if (parser.isCurrentAlias()) {
          throw new ConfigException(
              name
                  + ": line "
                  + parser.currentTokenLocation().getLineNr()
                  + ": the alias '*"
                  + parser.getText()
                  + "' is not understood; write its value out");
        }
      }
    } catch (JacksonException e) {
      throw e;
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a text in memory does not fail to be read
    }
  }

  private static ObjectNode asObject(String name, JsonNode root) {
    if (root instanceof ObjectNode object) {
      return object;
    }
    throw new ConfigException(name + ": the file must be a mapping of keys to values");
  }

  private static void override(ObjectNode root, String variable, String value) {
    if (variable.equals(PREFIX + "BOOTSTRAP_SERVERS")) {
      root.put("bootstrapServers", value);
      return;
    }
    String rest = variable.startsWith(PREFIX) ? variable.substring(PREFIX.length()) : "";
    if (!rest.startsWith("QUEUES_")) {
      return;
    }
    if (root.get("queues") instanceof ObjectNode queues) {
      // Of the queues 'orders' and 'orders-eu', ORDERS_EU_BUFFER means the second.
      String queue = null;
      for (Map.Entry<String, JsonNode> entry : queues.properties()) {
        String name = entry.getKey();
        if (rest.startsWith("QUEUES_" + shout(name) + "_")
            && (queue == null || name.length() > queue.length())) {
          queue = name;
        }
      }
      JsonNode named = queue == null ? null : queues.get(queue);
      if (queue != null && named != null) {
        ObjectNode settings =
            named instanceof ObjectNode object
                ? object
                : YamlObject.isNothing(named) ? queues.putObject(queue) : null;
        if (settings != null) {
          int prefix = ("QUEUES_" + shout(queue) + "_").length();
          settings.put(camel(rest.substring(prefix)), value);
          return;
        }
      }
    }
    throw new ConfigException(
        "The environment variable "
            + variable
            + " names no queue of the configuration. Variables"
            + " have the form "
            + PREFIX
            + "QUEUES_<QUEUE>_<SETTING>; define the queue in the file"
            + " or remove the variable.");
  }

  private static String shout(String name) {
    return name.replaceAll("[^A-Za-z0-9]", "_").toUpperCase(Locale.ROOT);
  }

  private static String camel(String shouted) {
    StringBuilder camel = new StringBuilder();
    for (String word : shouted.toLowerCase(Locale.ROOT).split("_")) {
      camel.append(
          camel.isEmpty() || word.isEmpty()
              ? word
              : Character.toUpperCase(word.charAt(0)) + word.substring(1));
    }
    return camel.toString();
  }

  private static SluiceConfig read(YamlObject root) {
    Map<String, QueueDefinition> queues = new LinkedHashMap<>();
    root.object("queues")
        .ifPresent(all -> all.objects().forEach((name, o) -> queues.put(name, queue(name, o))));
    SluiceConfig config =
        new SluiceConfig(
            root.text("bootstrapServers"),
            root.object("kafka").map(YamlObject::texts).orElse(Map.of()),
            queues,
            root.object("fleet").map(FleetYaml::fleet).orElse(FleetDefinition.DEFAULT));
    root.checkNothingElse();
    return config;
  }

  private static QueueDefinition queue(String name, YamlObject o) {
    QueueDefinition d = o.checked(() -> QueueDefinition.named(name));
    Map<String, HandlerDefinition> handlers = new LinkedHashMap<>();
    o.object("handlers")
        .ifPresent(all -> all.objects().forEach((type, h) -> handlers.put(type, handler(h))));
    String topic = o.text("topic").orElse(d.topic());
    Optional<String> group = o.text("group");
    Optional<Order> order = o.choice("order", Order.class);
    Optional<Integer> concurrency = o.integer("concurrency");
    Optional<Integer> buffer = o.integer("buffer");
    Optional<Long> bufferBytes = o.value("bufferBytes", Quantities::bytes);
    Optional<String> defaultType = o.text("defaultType");
    Optional<String> deadLetterTopic = o.text("deadLetterTopic");
    Optional<String> retryTopic = o.text("retryTopic");
    Optional<OnRetry> onRetry = o.choice("onRetry", OnRetry.class);
    Optional<Duration> handover = o.duration("handover");
    Optional<Integer> uncommitted = o.integer("uncommitted");
    Optional<Duration> commitInterval = o.duration("commitInterval");
    Optional<Integer> partitions = o.integer("partitions");
    Optional<Effects> effects = o.choice("effects", Effects.class);
    DedupeDefinition dedupe = dedupe(o);
    CapacityDefinition capacity = FleetYaml.capacity(o);
    PrioritiesDefinition priorities = TurnsYaml.priorities(o);
    TenantsDefinition tenants = TurnsYaml.tenants(o);
    Optional<Integer> maxDepth = o.integer("maxDepth");
    Optional<Integer> maxChildren = o.integer("maxChildren");
    FleetLimitsDefinition fleet = FleetYaml.limits(o);
    o.checkNothingElse();
    return o.checked(
        () ->
            new QueueDefinition(
                name,
                topic,
                group.orElse(d.group()),
                order.orElse(d.order()),
                concurrency.orElse(d.concurrency()),
                buffer.orElse(d.buffer()),
                bufferBytes.orElse(d.bufferBytes()),
                defaultType.orElse(d.defaultType()),
                deadLetterTopic.orElse("dlq." + topic),
                retryTopic.orElse(topic + ".retry"),
                onRetry.orElse(d.onRetry()),
                handover.orElse(d.handover()),
                uncommitted.orElse(d.uncommitted()),
                commitInterval.orElse(d.commitInterval()),
                partitions.orElse(d.partitions()),
                effects.orElse(d.effects()),
                dedupe,
                capacity,
                priorities,
                tenants,
                new ChildrenDefinition(
                    maxDepth.orElse(d.children().maxDepth()),
                    maxChildren.orElse(d.children().perTask())),
                fleet,
                handlers));
  }

  /** As a mapping, or as the window alone. */
  private static DedupeDefinition dedupe(YamlObject o) {
    if (!o.isObject("dedupe")) {
      return o.duration("dedupe")
          .map(w -> o.checked(() -> new DedupeDefinition(w, DedupeDefinition.MAX_IDS)))
          .orElse(DedupeDefinition.NONE);
    }
    return o.object("dedupe").map(SluiceConfig::dedupeObject).orElse(DedupeDefinition.NONE);
  }

  private static DedupeDefinition dedupeObject(YamlObject o) {
    Optional<Duration> window = o.duration("window");
    Optional<Integer> maxIds = o.integer("maxIds");
    o.checkNothingElse();
    Duration wanted = o.required("window", window);
    return o.checked(() -> new DedupeDefinition(wanted, maxIds.orElse(DedupeDefinition.MAX_IDS)));
  }

  private static HandlerDefinition handler(YamlObject o) {
    HandlerDefinition d = HandlerDefinition.DEFAULT;
    Optional<String> spec = o.text("handler");
    Optional<Duration> timeout = o.duration("timeout");
    RetryPolicy retry = o.object("retry").map(SluiceConfig::retry).orElse(d.retry());
    Optional<BulkheadDefinition> bulkhead = o.object("bulkhead").map(SluiceConfig::bulkhead);
    Optional<RateLimiterDefinition> rate = o.object("rateLimiter").map(SluiceConfig::rateLimiter);
    Optional<CircuitBreakerDefinition> breaker =
        o.object("circuitBreaker").map(SluiceConfig::circuitBreaker);
    Optional<Boolean> guard = o.flag("deadLetterGuard");
    FleetLimitsDefinition fleet = FleetYaml.limits(o);
    Optional<String> destination = o.text("destination");
    o.checkNothingElse();
    return o.checked(
        () ->
            new HandlerDefinition(
                spec,
                timeout.orElse(d.timeout()),
                retry,
                bulkhead,
                rate,
                breaker,
                guard.orElse(d.deadLetterGuard()),
                fleet,
                destination));
  }

  private static RetryPolicy retry(YamlObject o) {
    RetryPolicy d = RetryPolicy.DEFAULT;
    Optional<Integer> attempts = o.integer("maxAttempts");
    Optional<Duration> wait = o.duration("waitDuration");
    Optional<Double> multiplier = o.number("exponentialBackoffMultiplier");
    Optional<Duration> most = o.duration("exponentialMaxWaitDuration");
    Optional<Double> spread = o.number("randomizedWaitFactor");
    o.checkNothingElse();
    Duration first = wait.orElse(d.initialInterval());
    o.within("waitDuration", wait, Duration.ZERO, RetryPolicy.LONGEST);
    o.within("exponentialMaxWaitDuration", most, first, RetryPolicy.LONGEST);
    o.within("exponentialBackoffMultiplier", multiplier, 1.0, 100.0);
    o.within("randomizedWaitFactor", spread, 0.0, 1.0);
    return o.checked(
        () ->
            new RetryPolicy(
                attempts.orElse(d.maxAttempts()),
                first,
                multiplier.orElse(d.multiplier()),
                most.orElse(first.compareTo(d.maxInterval()) > 0 ? first : d.maxInterval()),
                spread.orElse(d.randomizationFactor())));
  }

  private static BulkheadDefinition bulkhead(YamlObject o) {
    Optional<Integer> calls = o.integer("maxConcurrentCalls");
    o.checkNothingElse();
    return o.checked(() -> new BulkheadDefinition(calls.orElse(25)));
  }

  private static RateLimiterDefinition rateLimiter(YamlObject o) {
    Optional<Integer> limit = o.integer("limitForPeriod");
    Optional<Duration> period = o.duration("limitRefreshPeriod");
    o.checkNothingElse();
    return o.checked(
        () -> new RateLimiterDefinition(limit.orElse(50), period.orElse(Duration.ofSeconds(1))));
  }

  private static CircuitBreakerDefinition circuitBreaker(YamlObject o) {
    CircuitBreakerDefinition d = CircuitBreakerDefinition.DEFAULT;
    Optional<Double> failures = o.number("failureRateThreshold");
    Optional<Double> slow = o.number("slowCallRateThreshold");
    Optional<Duration> slowAfter = o.duration("slowCallDurationThreshold");
    Optional<Integer> window = o.integer("slidingWindowSize");
    Optional<Integer> least = o.integer("minimumNumberOfCalls");
    Optional<Duration> open = o.duration("waitDurationInOpenState");
    Optional<Integer> probes = o.integer("permittedNumberOfCallsInHalfOpenState");
    o.checkNothingElse();
    return o.checked(
        () ->
            new CircuitBreakerDefinition(
                failures.orElse(d.failureRateThreshold()),
                slow.orElse(d.slowCallRateThreshold()),
                slowAfter.orElse(d.slowCallDurationThreshold()),
                window.orElse(d.slidingWindowSize()),
                least.orElse(d.minimumNumberOfCalls()),
                open.orElse(d.waitDurationInOpenState()),
                probes.orElse(d.permittedNumberOfCallsInHalfOpenState())));
  }
}
