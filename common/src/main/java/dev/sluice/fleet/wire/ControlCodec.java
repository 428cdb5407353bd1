// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.wire;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.SluiceException;
import dev.sluice.fleet.CancelWish;
import dev.sluice.fleet.Claim;
import dev.sluice.fleet.DeclaredQueue;
import dev.sluice.fleet.Epoch;
import dev.sluice.fleet.GrantBatch;
import dev.sluice.fleet.OperatorSetting;
import dev.sluice.fleet.Report;
import dev.sluice.queue.PrioritiesDefinition;
import java.io.IOException;

/**
 * Control records as JSON. Thread-safe. Every record has a version {@code v} and a kind {@code t};
 * of another version, damaged, too large or impossible ones nothing is believed.
 */
public final class ControlCodec {
  /** The version that is written, and the only one that is read. */
  public static final int VERSION = 1;

  /** The largest record that is written or read, in bytes. */
  public static final int BYTES_MAX = 900_000;

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              new com.fasterxml.jackson.core.JsonFactoryBuilder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(12)
                          .maxStringLength(10_000)
                          .maxNumberLength(40)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private ControlCodec() {}

  /** A report. */
  public static byte[] write(Report report) {
    ObjectNode node = record("report");
    ReportJson.write(report, node);
    return bytes(node);
  }

  /** A claim. */
  public static byte[] write(Claim claim) {
    ObjectNode node = record("claim");
    node.put("counter", claim.counter());
    node.put("incarnation", claim.incarnation());
    node.put("name", claim.name());
    return bytes(node);
  }

  /** Grants. */
  public static byte[] write(GrantBatch batch) {
    ObjectNode node = record("grants");
    Epoch epoch = batch.epoch();
    node.putObject("epoch")
        .put("topic", epoch.topicId())
        .put("counter", epoch.counter())
        .put("offset", epoch.offset())
        .put("incarnation", epoch.incarnation());
    GrantJson.write(batch, node);
    return bytes(node);
  }

  /** The declaration of a queue. */
  public static byte[] write(DeclaredQueue queue) {
    ObjectNode node = record("declared");
    node.put("queue", queue.queue());
    node.put("topic", queue.topic());
    node.put("group", queue.group());
    node.put("capacity", queue.capacity());
    node.put("targetDelayMillis", queue.targetDelayMillis());
    ArrayNode weights = node.putArray("weights");
    queue.priorities().weights().forEach(weights::add);
    node.put("floor", queue.priorities().floor());
    node.put("childrenPerTask", queue.childrenPerTask());
    node.put("by", queue.by());
    node.put("at", queue.atMillis());
    return bytes(node);
  }

  /** A setting of an operator. */
  public static byte[] write(OperatorSetting setting) {
    ObjectNode node = record("operator");
    node.put("queue", setting.queue());
    node.put("what", setting.what().name());
    node.put("value", setting.value());
    node.put("burst", setting.burst());
    node.put("by", setting.by());
    node.put("at", setting.atMillis());
    node.put("expires", setting.expiresMillis());
    return bytes(node);
  }

  /** A wish that a task does not run. */
  public static byte[] write(CancelWish wish) {
    ObjectNode node = record("cancel");
    node.put("id", wish.id());
    node.put("state", wish.state().name());
    node.put("by", wish.by());
    node.put("expires", wish.expiresMillis());
    return bytes(node);
  }

  private static ObjectNode record(String kind) {
    ObjectNode node = MAPPER.createObjectNode();
    node.put("v", VERSION);
    node.put("t", kind);
    return node;
  }

  private static byte[] bytes(ObjectNode node) {
    try {
      byte[] bytes = MAPPER.writeValueAsBytes(node);
      if (bytes.length > BYTES_MAX) {
        throw new SluiceException(
            "A control record of "
                + bytes.length
                + " bytes is larger than the "
                + BYTES_MAX
                + " that are allowed; spread the holders over more partitions of the grants topic,"
                + " or the queues over more processes");
      }
      return bytes;
    } catch (JsonProcessingException e) {
      throw new SluiceException("A control record could not be written: " + e.getMessage(), e);
    }
  }

  /** Reads any control record; never throws for what is in it. */
  public static ControlRecord read(byte[] value) {
    if (value.length > BYTES_MAX) {
      return new ControlRecord.Unreadable("it has " + value.length + " bytes");
    }
    try {
      JsonNode node = MAPPER.readTree(value);
      if (node == null || !node.isObject()) {
        return new ControlRecord.Unreadable("it is no JSON object");
      }
      if (Fields.number(node, "v") != VERSION) {
        return new ControlRecord.Unreadable("its version is " + node.get("v"));
      }
      return read(node);
    } catch (IOException | IllegalArgumentException e) {
      return new ControlRecord.Unreadable(String.valueOf(e.getMessage()));
    }
  }

  private static PrioritiesDefinition priorities(JsonNode node) {
    return node.has("weights")
        ? new PrioritiesDefinition(
            Fields.list(node, "weights", JsonNode::asInt), node.path("floor").asDouble())
        : PrioritiesDefinition.NONE;
  }

  private static ControlRecord read(JsonNode node) {
    String kind = Fields.text(node, "t");
    return switch (kind) {
      case "report" -> new ControlRecord.OfReport(ReportJson.read(node));
      case "claim" ->
          new ControlRecord.OfClaim(
              new Claim(
                  Fields.number(node, "counter"),
                  Fields.text(node, "incarnation"),
                  Fields.text(node, "name")));
      case "grants" -> new ControlRecord.OfGrants(GrantJson.read(epoch(node), node));
      case "declared" ->
          new ControlRecord.OfDeclared(
              new DeclaredQueue(
                  Fields.text(node, "queue"),
                  Fields.text(node, "topic"),
                  Fields.text(node, "group"),
                  Fields.number(node, "capacity"),
                  Fields.number(node, "targetDelayMillis"),
                  priorities(node),
                  node.has("childrenPerTask") ? Fields.integer(node, "childrenPerTask") : 0,
                  Fields.text(node, "by"),
                  Fields.number(node, "at")));
      case "cancel" ->
          new ControlRecord.OfCancel(
              new CancelWish(
                  Fields.text(node, "id"),
                  CancelWish.State.valueOf(Fields.text(node, "state")),
                  Fields.text(node, "by"),
                  Fields.number(node, "expires")));
      case "operator" ->
          new ControlRecord.OfOperator(
              new OperatorSetting(
                  Fields.text(node, "queue"),
                  OperatorSetting.What.valueOf(Fields.text(node, "what")),
                  Fields.number(node, "value"),
                  Fields.number(node, "burst"),
                  Fields.text(node, "by"),
                  Fields.number(node, "at"),
                  Fields.number(node, "expires")));
      default -> new ControlRecord.Unreadable("its kind is " + kind);
    };
  }

  private static Epoch epoch(JsonNode node) {
    JsonNode epoch = Fields.object(node, "epoch");
    return new Epoch(
        Fields.text(epoch, "topic"),
        Fields.number(epoch, "counter"),
        Fields.number(epoch, "offset"),
        Fields.text(epoch, "incarnation"));
  }
}
