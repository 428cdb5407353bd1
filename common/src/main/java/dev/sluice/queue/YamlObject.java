// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.sluice.ConfigException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * One mapping of the configuration, read key by key. Whatever was not asked for when {@link
 * #checkNothingElse} is called is unknown, and an error that names the nearest known key.
 */
final class YamlObject {
  private final String file;
  private final String path;
  private final JsonNode node;
  private final TreeSet<String> known = new TreeSet<>();

  YamlObject(String file, String path, JsonNode node) {
    this.file = file;
    this.path = path;
    if (!node.isObject() && !isNothing(node)) {
      throw new ConfigException(where(path) + " must be a mapping of keys to values");
    }
    this.node = node.isObject() ? node : JsonNodeFactory.instance.objectNode();
  }

  /** Whether a key stands there without a value. */
  static boolean isNothing(JsonNode node) {
    return node.isNull() || node.isMissingNode() || node.isTextual() && node.textValue().isEmpty();
  }

  private String where(String at) {
    return file + ": " + (at.isEmpty() ? "the file" : at);
  }

  private String at(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  private Optional<JsonNode> find(String key) {
    known.add(key);
    JsonNode value = node.get(key);
    return value == null || value.isNull() ? Optional.empty() : Optional.of(value);
  }

  <T> Optional<T> value(String key, Function<String, T> parser) {
    return find(key)
        .map(
            value -> {
              if (!value.isValueNode()) {
                throw new ConfigException(where(at(key)) + " must be a single value");
              }
              try {
                return parser.apply(value.asText());
              } catch (NumberFormatException e) {
                throw new ConfigException(
                    where(at(key)) + " is '" + value.asText() + "', which is no number", e);
              } catch (ConfigException e) {
                throw new ConfigException(where(at(key)) + ": " + e.getMessage(), e);
              }
            });
  }

  /** Refuses a value outside of a range, under the name that it has in the file. */
  <T extends Comparable<T>> void within(String key, Optional<T> value, T least, T most) {
    value.ifPresent(
        v -> {
          if (v.compareTo(least) < 0 || v.compareTo(most) > 0) {
            throw new ConfigException(
                where(at(key)) + " is " + v + "; it must be from " + least + " to " + most);
          }
        });
  }

  Optional<String> text(String key) {
    return value(key, text -> text);
  }

  Optional<Integer> integer(String key) {
    return value(key, text -> Integer.valueOf(text.replace("_", "")));
  }

  /** A list of whole numbers, or a text with commas between them. */
  Optional<List<Integer>> integers(String key) {
    return find(key)
        .map(
            value -> {
              List<Integer> numbers = new ArrayList<>();
              List<String> texts = new ArrayList<>();
              if (value.isArray()) {
                value.forEach(each -> texts.add(each.asText()));
              } else {
                texts.addAll(List.of(value.asText().split(",", -1)));
              }
              for (String text : texts) {
                try {
                  numbers.add(Integer.valueOf(text.trim().replace("_", "")));
                } catch (NumberFormatException e) {
                  throw new ConfigException(
                      where(at(key)) + " has '" + text + "', which is no whole number", e);
                }
              }
              return numbers;
            });
  }

  Optional<Double> number(String key) {
    return value(key, Double::valueOf);
  }

  Optional<Boolean> flag(String key) {
    return value(
        key,
        text ->
            switch (text.toLowerCase(Locale.ROOT)) {
              case "true" -> true;
              case "false" -> false;
              default -> throw new ConfigException("'" + text + "' is neither true nor false");
            });
  }

  Optional<Duration> duration(String key) {
    return value(key, Quantities::duration);
  }

  <E extends Enum<E>> Optional<E> choice(String key, Class<E> type) {
    return value(
        key,
        text -> {
          List<String> accepted = new ArrayList<>();
          for (E constant : type.getEnumConstants()) {
            String word = constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
            if (word.equals(text.toLowerCase(Locale.ROOT))) {
              return constant;
            }
            accepted.add(word);
          }
          throw new ConfigException("'" + text + "' is not one of " + String.join(", ", accepted));
        });
  }

  /** Whether a mapping stands there. */
  boolean isObject(String key) {
    return find(key).map(JsonNode::isObject).orElse(false);
  }

  /** A value that must be there. */
  <T> T required(String key, Optional<T> value) {
    return value.orElseThrow(
        () -> new ConfigException(where(at(key)) + " is missing; it must be set"));
  }

  Optional<YamlObject> object(String key) {
    return find(key).map(value -> new YamlObject(file, at(key), value));
  }

  /** All entries, whatever their keys. */
  Map<String, YamlObject> objects() {
    Map<String, YamlObject> all = new LinkedHashMap<>();
    node.fieldNames()
        .forEachRemaining(
            key -> {
              known.add(key);
              all.put(key, new YamlObject(file, at(key), node.get(key)));
            });
    return all;
  }

  /** All entries as text, whatever their keys. */
  Map<String, String> texts() {
    Map<String, String> all = new LinkedHashMap<>();
    node.fieldNames().forEachRemaining(key -> text(key).ifPresent(value -> all.put(key, value)));
    return all;
  }

  /** Runs something that checks values, and says where they stand. */
  <T> T checked(Supplier<T> build) {
    try {
      return build.get();
    } catch (ConfigException | IllegalArgumentException e) {
      throw new ConfigException(where(path) + ": " + e.getMessage(), e);
    }
  }

  void checkNothingElse() {
    node.fieldNames()
        .forEachRemaining(
            key -> {
              if (!known.contains(key)) {
                throw new ConfigException(
                    where(at(key)) + " is unknown. " + Suggestions.forWord(key, known));
              }
            });
  }
}
