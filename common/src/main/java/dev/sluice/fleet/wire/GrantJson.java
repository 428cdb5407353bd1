// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.wire;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.fleet.CreditGrant;
import dev.sluice.fleet.Epoch;
import dev.sluice.fleet.Grant;
import dev.sluice.fleet.GrantBatch;
import dev.sluice.fleet.LimitGrant;
import dev.sluice.fleet.LimitKey;
import dev.sluice.flow.share.Share;

/** The fields of grants. */
final class GrantJson {
  private GrantJson() {}

  static void write(GrantBatch batch, ObjectNode node) {
    node.put("mono", batch.monoNanos());
    node.put("lease", batch.leaseNanos());
    node.put("spacing", batch.spacingNanos());
    node.put("open", batch.open());
    ArrayNode grants = node.putArray("grants");
    for (Grant grant : batch.grants()) {
      ObjectNode one = grants.addObject();
      one.put("incarnation", grant.incarnation());
      one.put("number", grant.number());
      one.put("report", grant.report());
      if (!grant.limits().isEmpty()) {
        ArrayNode limits = one.putArray("limits");
        grant.limits().forEach(limit -> write(limit, limits.addObject()));
      }
      if (!grant.credits().isEmpty()) {
        ArrayNode credits = one.putArray("credits");
        grant.credits().forEach(credit -> write(credit, credits.addObject()));
      }
    }
  }

  private static void write(LimitGrant limit, ObjectNode node) {
    node.put("limit", limit.key().text());
    node.put("milliRate", limit.share().milliRate());
    node.put("units", limit.share().units());
    node.put("tokens", limit.tokens());
    node.put("turn", limit.turn());
    node.put("starts", limit.startsMax());
    node.put("hold", limit.holdNanos());
  }

  private static void write(CreditGrant credit, ObjectNode node) {
    node.put("queue", credit.queue());
    LineJson.write(credit.line(), node);
    node.put("granted", credit.granted());
    node.put("settled", credit.settled());
    node.put("escrow", credit.escrow());
    node.put("sheddable", credit.sheddable());
    node.put("waiting", credit.waiting());
    node.put("milliRate", credit.milliRate());
  }

  static GrantBatch read(Epoch epoch, JsonNode node) {
    return new GrantBatch(
        epoch,
        Fields.number(node, "mono"),
        Fields.number(node, "lease"),
        Fields.number(node, "spacing"),
        Fields.flag(node, "open"),
        Fields.list(node, "grants", GrantJson::grant));
  }

  private static Grant grant(JsonNode node) {
    return new Grant(
        Fields.text(node, "incarnation"),
        Fields.number(node, "number"),
        Fields.number(node, "report"),
        Fields.list(node, "limits", GrantJson::limit),
        Fields.list(node, "credits", GrantJson::credit));
  }

  private static LimitGrant limit(JsonNode node) {
    return new LimitGrant(
        LimitKey.parse(Fields.text(node, "limit")),
        new Share(Fields.number(node, "milliRate"), Fields.number(node, "units")),
        Fields.number(node, "tokens"),
        Fields.number(node, "turn"),
        Fields.number(node, "starts"),
        Fields.number(node, "hold"));
  }

  private static CreditGrant credit(JsonNode node) {
    return new CreditGrant(
        Fields.text(node, "queue"),
        LineJson.read(node),
        Fields.number(node, "granted"),
        Fields.number(node, "settled"),
        Fields.number(node, "escrow"),
        Fields.flag(node, "sheddable"),
        Fields.number(node, "waiting"),
        Fields.number(node, "milliRate"));
  }
}
