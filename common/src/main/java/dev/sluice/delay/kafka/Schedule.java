// SPDX-License-Identifier: Apache-2.0
package dev.sluice.delay.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.ConfigException;
import dev.sluice.flow.schedule.Missed;
import java.io.IOException;
import java.time.Instant;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A task that recurs. Immutable.
 *
 * @param name of the schedule: 1 to 200 letters, digits, dots, dashes, underscores
 * @param queue for people
 * @param topic where the tasks go
 * @param type of the tasks
 * @param cron when, see {@link CronRecurrence}
 * @param zone the time zone of that
 * @param missed what becomes of times at which nobody was there
 * @param payload of each task, as text
 * @param key of each task; null for none
 * @param sinceMillis no time up to this one is fired
 */
public record Schedule(
    String name,
    String queue,
    String topic,
    String type,
    String cron,
    String zone,
    Missed missed,
    String payload,
    @Nullable String key,
    long sinceMillis) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,200}");
  private static final int PAYLOAD_CHARS_MAX = 100_000;
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String DEFINED = "schedule/";
  private static final String FIRED = "fired/";

  public Schedule {
    if (!NAME.matcher(name).matches()) {
      throw new ConfigException(
          "The name of a schedule is '"
              + name
              + "'; it must be 1 to 200 letters, digits, dots, dashes or underscores.");
    }
    if (payload.length() > PAYLOAD_CHARS_MAX) {
      throw new ConfigException(
          "The payload of schedule "
              + name
              + " has "
              + payload.length()
              + " characters; "
              + PAYLOAD_CHARS_MAX
              + " are the most.");
    }
  }

  /** When it fires. */
  public CronRecurrence recurrence() {
    return CronRecurrence.of(cron, zone);
  }

  /** The id of the task of one of its times. */
  public String taskId(long dueMillis) {
    return name + "@" + Instant.ofEpochMilli(dueMillis);
  }

  // ---- as records ----

  /** The key of the record that defines a schedule. */
  public static byte[] definitionKey(String name) {
    return (DEFINED + name).getBytes(UTF_8);
  }

  /** The key of the record that says up to when it was fired. */
  public static byte[] firedKey(String name) {
    return (FIRED + name).getBytes(UTF_8);
  }

  /** The name in the key of a definition; null if it is the key of something else. */
  public static @Nullable String definedName(byte @Nullable [] key) {
    return named(key, DEFINED);
  }

  /** The name in the key that says up to when one was fired; null if it is another key. */
  public static @Nullable String firedName(byte @Nullable [] key) {
    return named(key, FIRED);
  }

  private static @Nullable String named(byte @Nullable [] key, String prefix) {
    String text = key == null ? "" : new String(key, UTF_8);
    return text.startsWith(prefix) ? text.substring(prefix.length()) : null;
  }

  /** The definition as a record's value. */
  public byte[] write() {
    ObjectNode node =
        MAPPER
            .createObjectNode()
            .put("queue", queue)
            .put("topic", topic)
            .put("type", type)
            .put("cron", cron)
            .put("zone", zone)
            .put("missed", missed.name().toLowerCase(Locale.ROOT))
            .put("payload", payload)
            .put("since", sinceMillis);
    if (key != null) {
      node.put("key", key);
    }
    return bytes(node);
  }

  /**
   * The definition in a record's value.
   *
   * @throws ConfigException if it is none
   */
  public static Schedule read(String name, byte[] value) {
    try {
      JsonNode node = MAPPER.readTree(value);
      Schedule schedule =
          new Schedule(
              name,
              node.path("queue").asText(),
              node.path("topic").asText(),
              node.path("type").asText(),
              node.path("cron").asText(),
              node.path("zone").asText("UTC"),
              Missed.valueOf(node.path("missed").asText("once").toUpperCase(Locale.ROOT)),
              node.path("payload").asText(),
              node.hasNonNull("key") ? node.path("key").asText() : null,
              node.path("since").asLong());
      if (schedule.topic().isEmpty()) {
        throw new ConfigException("Schedule " + name + " names no topic");
      }
      return schedule;
    } catch (IOException | IllegalArgumentException e) {
      throw new ConfigException("Schedule " + name + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** Up to when a schedule was fired, as a record's value. */
  public static byte[] writeFired(long epochMillis) {
    return bytes(MAPPER.createObjectNode().put("fired", epochMillis));
  }

  /** Up to when a schedule was fired; {@link Long#MIN_VALUE} if the value does not say. */
  public static long readFired(byte[] value) {
    try {
      return MAPPER.readTree(value).path("fired").asLong(Long.MIN_VALUE);
    } catch (IOException e) {
      return Long.MIN_VALUE;
    }
  }

  private static byte[] bytes(ObjectNode node) {
    try {
      return MAPPER.writeValueAsBytes(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Numbers and words cannot fail to be written", e);
    }
  }
}
