// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.wire;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.fleet.CreditLine;

/** What credit is for, as fields of a report or a grant; most have none. */
final class LineJson {
  private static final String PRIORITY = "priority";
  private static final String DEPTH = "depth";

  private LineJson() {}

  static void write(CreditLine line, ObjectNode node) {
    if (line.priority() > 0) {
      node.put(PRIORITY, line.priority());
    }
    if (line.depth() > 0) {
      node.put(DEPTH, line.depth());
    }
  }

  static CreditLine read(JsonNode node) {
    return new CreditLine(number(node, PRIORITY), number(node, DEPTH));
  }

  private static int number(JsonNode node, String name) {
    return node.has(name) ? Fields.integer(node, name) : 0;
  }
}
