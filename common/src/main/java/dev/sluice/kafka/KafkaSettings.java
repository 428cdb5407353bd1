// SPDX-License-Identifier: Apache-2.0
package dev.sluice.kafka;

import dev.sluice.ConfigException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * The properties of Kafka clients: every property of the user's passes through, and Sluice's own
 * are laid on top. A user's property that contradicts a promise is refused. Immutable; {@link
 * #toString} shows no secret.
 */
public final class KafkaSettings {
  private static final List<String> SECRET_WORDS =
      List.of("password", "secret", "jaas", "token", "ssl.keystore.key", "credential");

  private final Map<String, String> user;

  private KafkaSettings(Map<String, String> user) {
    this.user = Map.copyOf(user);
  }

  /** Only the brokers are said. */
  public static KafkaSettings of(String bootstrapServers) {
    return of(bootstrapServers, Map.of());
  }

  /** The brokers and any Kafka property; {@code bootstrapServers} wins over a property. */
  public static KafkaSettings of(String bootstrapServers, Map<String, String> properties) {
    Map<String, String> all = new HashMap<>(properties);
    all.put("bootstrap.servers", bootstrapServers);
    return new KafkaSettings(all);
  }

  /**
   * The properties in a file, as Kafka's own commands take it with {@code --command-config}.
   *
   * @throws ConfigException if it cannot be read
   */
  public static Map<String, String> file(Path file) {
    Properties properties = new Properties();
    try (InputStream in = Files.newInputStream(file)) {
      properties.load(in);
    } catch (IOException | IllegalArgumentException e) {
      throw new ConfigException("The client properties " + file + " cannot be read: " + e, e);
    }
    Map<String, String> map = new HashMap<>();
    properties.stringPropertyNames().forEach(name -> map.put(name, properties.getProperty(name)));
    return map;
  }

  /** The brokers. */
  public String bootstrapServers() {
    return String.valueOf(user.get("bootstrap.servers"));
  }

  /** What the user said for this property, or null. */
  public @Nullable String get(String name) {
    return user.get(name);
  }

  /** For an {@code Admin}. */
  public Map<String, Object> admin() {
    Map<String, Object> all = new HashMap<>(user);
    all.keySet().removeIf(KafkaSettings::isNotForAdmin);
    return all;
  }

  private static boolean isNotForAdmin(String name) {
    return name.startsWith("group.")
        || name.startsWith("fetch.")
        || name.equals("max.poll.records")
        || name.equals("partition.assignment.strategy")
        || name.equals("session.timeout.ms")
        || name.equals("heartbeat.interval.ms");
  }

  /**
   * For a producer that loses nothing: idempotent, acknowledged by all replicas.
   *
   * @throws ConfigException if a property of the user's says otherwise
   */
  public Map<String, Object> producer() {
    refuseUnless("enable.idempotence", "true");
    refuseUnless("acks", "all", "-1");
    Map<String, Object> all = admin();
    all.put("enable.idempotence", "true");
    all.put("acks", "all");
    all.put("key.serializer", ByteArraySerializer.class);
    all.put("value.serializer", ByteArraySerializer.class);
    return all;
  }

  /**
   * For a consumer whose offsets Sluice alone commits.
   *
   * @param group the consumer group, which a {@code group.id} of the user's may not contradict
   * @throws ConfigException if a property of the user's says otherwise
   */
  public Map<String, Object> consumer(String group) {
    refuseUnless("enable.auto.commit", "false");
    refuseUnless("auto.offset.reset", "none");
    refuseUnless("group.id", group);
    Map<String, Object> all = new HashMap<>();
    all.put("isolation.level", "read_committed");
    all.putAll(user);
    all.put("group.id", group);
    all.put("enable.auto.commit", "false");
    all.put("auto.offset.reset", "none");
    all.put("key.deserializer", ByteArrayDeserializer.class);
    all.put("value.deserializer", ByteArrayDeserializer.class);
    if ("consumer".equalsIgnoreCase(user.get("group.protocol"))) {
      for (String classic :
          List.of("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms")) {
        if (user.containsKey(classic)) {
          throw new ConfigException(
              classic
                  + " is set, but with group.protocol=consumer the brokers decide it; remove one"
                  + " of the two");
        }
      }
    } else {
      all.putIfAbsent(
          "partition.assignment.strategy",
          "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
    }
    return all;
  }

  private void refuseUnless(String name, String... accepted) {
    String value = user.get(name);
    if (value != null
        && !List.of(accepted).contains(value.toLowerCase(Locale.ROOT))
        && !List.of(accepted).contains(value)) {
      throw new ConfigException(
          "The Kafka property "
              + name
              + " is '"
              + value
              + "', but Sluice needs '"
              + accepted[0]
              + "' to keep its promises; remove the property");
    }
  }

  /** All properties by name, secrets hidden. */
  @Override
  public String toString() {
    Map<String, String> shown = new TreeMap<>(user);
    shown.replaceAll((name, value) -> isSecret(name) ? "[hidden]" : value);
    return shown.toString();
  }

  static boolean isSecret(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return SECRET_WORDS.stream().anyMatch(lower::contains);
  }
}
