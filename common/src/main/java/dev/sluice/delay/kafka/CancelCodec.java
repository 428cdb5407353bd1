// SPDX-License-Identifier: Apache-2.0
package dev.sluice.delay.kafka;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.Cancellation;
import dev.sluice.flow.delay.ShardWatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What is said about delayed tasks beside their records, in JSON. Thread-safe. */
public final class CancelCodec {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final int SHARDS_MAX = 10_000;

  /**
   * Asks for the end of a task, or answers that.
   *
   * @param dueMillis when the task is due, in epoch milliseconds
   * @param outcome null in what asks
   */
  public record Cancel(long dueMillis, @Nullable Cancellation outcome) {}

  private CancelCodec() {}

  /** As a record's value. */
  public static byte[] write(Cancel cancel) {
    ObjectNode node = MAPPER.createObjectNode().put("due", cancel.dueMillis());
    Cancellation outcome = cancel.outcome();
    if (outcome != null) {
      node.put("outcome", outcome.name().toLowerCase(Locale.ROOT).replace('_', '-'));
    }
    return bytes(node);
  }

  /** From a record's value; null if it is none of ours. */
  public static @Nullable Cancel readCancel(byte @Nullable [] value) {
    JsonNode node = tree(value);
    if (node == null || !node.path("due").canConvertToLong() || !node.path("due").isNumber()) {
      return null;
    }
    JsonNode outcome = node.get("outcome");
    if (outcome == null) {
      return new Cancel(node.path("due").asLong(), null);
    }
    try {
      String name = outcome.asText().toUpperCase(Locale.ROOT).replace('-', '_');
      return new Cancel(node.path("due").asLong(), Cancellation.valueOf(name));
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** A beat as a record's value. */
  public static byte[] write(ShardWatch.Beat beat) {
    ObjectNode node =
        MAPPER
            .createObjectNode()
            .put("member", beat.member())
            .put("number", beat.number())
            .put("nextMillis", beat.intervalNanos() / 1_000_000);
    beat.shards().forEach(node.putArray("shards")::add);
    return bytes(node);
  }

  /** A beat from a record's value; null if it is none of ours. */
  public static ShardWatch.@Nullable Beat readBeat(byte @Nullable [] value) {
    JsonNode node = tree(value);
    if (node == null || !node.path("member").isTextual() || !node.path("shards").isArray()) {
      return null;
    }
    List<Integer> shards = new ArrayList<>();
    for (JsonNode shard : node.path("shards")) {
      if (shards.size() < SHARDS_MAX) {
        shards.add(shard.asInt(-1));
      }
    }
    long millis = Math.max(-1, Math.min(60_000, node.path("nextMillis").asLong()));
    return new ShardWatch.Beat(
        node.path("member").asText(), node.path("number").asLong(), millis * 1_000_000, shards);
  }

  private static byte[] bytes(ObjectNode node) {
    try {
      return MAPPER.writeValueAsBytes(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Numbers and words cannot fail to be written", e);
    }
  }

  private static @Nullable JsonNode tree(byte @Nullable [] value) {
    if (value == null) {
      return null;
    }
    try {
      JsonNode node = MAPPER.readTree(value);
      return node != null && node.isObject() ? node : null;
    } catch (IOException e) {
      return null;
    }
  }
}
