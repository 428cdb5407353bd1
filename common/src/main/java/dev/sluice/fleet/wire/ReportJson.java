// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.wire;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.fleet.CreditReport;
import dev.sluice.fleet.LimitKey;
import dev.sluice.fleet.LimitReport;
import dev.sluice.fleet.PartitionReport;
import dev.sluice.fleet.QueueReport;
import dev.sluice.fleet.Report;
import dev.sluice.flow.share.Share;
import java.util.HashMap;
import java.util.Map;

/** The fields of reports. */
final class ReportJson {
  private ReportJson() {}

  static void write(Report report, ObjectNode node) {
    node.put("name", report.name());
    node.put("incarnation", report.incarnation());
    node.put("kind", report.kind().name());
    node.put("number", report.number());
    node.put("topic", report.topicId());
    node.put("partition", report.partition());
    node.put("appliedCounter", report.appliedCounter());
    node.put("appliedNumber", report.appliedNumber());
    node.put("roundTrip", report.roundTripNanos());
    node.put("leaving", report.leaving());
    ArrayNode limits = node.putArray("limits");
    report.limits().forEach(limit -> write(limit, limits.addObject()));
    ArrayNode credits = node.putArray("credits");
    report.credits().forEach(credit -> write(credit, credits.addObject()));
    ArrayNode queues = node.putArray("queues");
    report.queues().forEach(queue -> write(queue, queues.addObject()));
  }

  private static void write(LimitReport limit, ObjectNode node) {
    node.put("limit", limit.key().text());
    node.put("milliRate", limit.configured().milliRate());
    node.put("units", limit.configured().units());
    node.put("hold", limit.holdNanos());
    node.put("demand", limit.demand());
    node.put("heldMilliRate", limit.held().milliRate());
    node.put("heldUnits", limit.held().units());
    node.put("turnOver", limit.turnOver());
    node.put("started", limit.started());
  }

  private static void write(CreditReport credit, ObjectNode node) {
    node.put("queue", credit.queue());
    node.put("granted", credit.granted());
    node.put("spent", credit.spent());
    node.put("returned", credit.returned());
    node.put("demand", credit.demand());
    node.put("waiting", credit.waiting());
    node.put("sheddable", credit.sheddableDemand());
    node.put("waitedMillis", credit.waitedMillis());
    LineJson.write(credit.line(), node);
    if (credit.least() > 0) {
      node.put("least", credit.least());
    }
    node.put("inDoubt", credit.inDoubtNanos());
  }

  private static void write(QueueReport queue, ObjectNode node) {
    node.put("queue", queue.queue());
    node.put("topic", queue.topic());
    node.put("group", queue.group());
    ArrayNode partitions = node.putArray("partitions");
    for (PartitionReport each : queue.partitions()) {
      ObjectNode one = partitions.addObject();
      one.put("p", each.partition());
      one.put("position", each.position());
      one.put("held", each.held());
      one.put("running", each.running());
      one.put("ready", each.ready());
      if (!each.reasons().isEmpty()) {
        ObjectNode reasons = one.putObject("reasons");
        each.reasons().forEach(reasons::put);
      }
    }
  }

  static Report read(JsonNode node) {
    return new Report(
        Fields.text(node, "name"),
        Fields.text(node, "incarnation"),
        Report.Kind.valueOf(Fields.text(node, "kind")),
        Fields.number(node, "number"),
        Fields.text(node, "topic"),
        Fields.integer(node, "partition"),
        Fields.number(node, "appliedCounter"),
        Fields.number(node, "appliedNumber"),
        Fields.number(node, "roundTrip"),
        Fields.flag(node, "leaving"),
        Fields.list(node, "limits", ReportJson::limit),
        Fields.list(node, "credits", ReportJson::credit),
        Fields.list(node, "queues", ReportJson::queue));
  }

  private static LimitReport limit(JsonNode node) {
    return new LimitReport(
        LimitKey.parse(Fields.text(node, "limit")),
        new Share(Fields.number(node, "milliRate"), Fields.number(node, "units")),
        Fields.number(node, "hold"),
        Fields.number(node, "demand"),
        new Share(Fields.number(node, "heldMilliRate"), Fields.number(node, "heldUnits")),
        Fields.flag(node, "turnOver"),
        Fields.number(node, "started"));
  }

  private static CreditReport credit(JsonNode node) {
    return new CreditReport(
        Fields.text(node, "queue"),
        Fields.number(node, "granted"),
        Fields.number(node, "spent"),
        Fields.number(node, "returned"),
        Fields.number(node, "demand"),
        Fields.number(node, "waiting"),
        Fields.number(node, "sheddable"),
        Fields.number(node, "waitedMillis"),
        LineJson.read(node),
        node.has("least") ? Fields.number(node, "least") : 0,
        Fields.number(node, "inDoubt"));
  }

  private static QueueReport queue(JsonNode node) {
    return new QueueReport(
        Fields.text(node, "queue"),
        Fields.text(node, "topic"),
        Fields.text(node, "group"),
        Fields.list(node, "partitions", ReportJson::partition));
  }

  private static PartitionReport partition(JsonNode node) {
    Map<String, Long> reasons = new HashMap<>();
    if (node.has("reasons")) {
      JsonNode held = Fields.object(node, "reasons");
      held.fieldNames().forEachRemaining(name -> reasons.put(name, Fields.number(held, name)));
    }
    return new PartitionReport(
        Fields.integer(node, "p"),
        Fields.number(node, "position"),
        Fields.integer(node, "held"),
        Fields.integer(node, "running"),
        Fields.integer(node, "ready"),
        reasons);
  }
}
