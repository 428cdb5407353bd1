// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.wire;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Reads the fields of a record; what is missing or of another kind is an error. */
final class Fields {
  private static final int ITEMS_MAX = 20_000;

  private Fields() {}

  static long number(JsonNode node, String name) {
    JsonNode value = node.get(name);
    if (value == null || !value.canConvertToLong() || !value.isIntegralNumber()) {
      throw new IllegalArgumentException("'" + name + "' is " + value + " and no whole number");
    }
    return value.longValue();
  }

  static int integer(JsonNode node, String name) {
    return Math.toIntExact(number(node, name));
  }

  static String text(JsonNode node, String name) {
    JsonNode value = node.get(name);
    if (value == null || !value.isTextual()) {
      throw new IllegalArgumentException("'" + name + "' is " + value + " and no text");
    }
    return value.textValue();
  }

  static boolean flag(JsonNode node, String name) {
    JsonNode value = node.get(name);
    return value != null && value.asBoolean(false);
  }

  static JsonNode object(JsonNode node, String name) {
    JsonNode value = node.get(name);
    if (value == null || !value.isObject()) {
      throw new IllegalArgumentException("'" + name + "' is " + value + " and no object");
    }
    return value;
  }

  static <T> List<T> list(JsonNode node, String name, Function<JsonNode, T> each) {
    JsonNode value = node.get(name);
    if (value == null) {
      return List.of();
    }
    if (!value.isArray() || value.size() > ITEMS_MAX) {
      throw new IllegalArgumentException("'" + name + "' is no list, or too long");
    }
    List<T> items = new ArrayList<>(value.size());
    value.forEach(item -> items.add(each.apply(item)));
    return items;
  }
}
