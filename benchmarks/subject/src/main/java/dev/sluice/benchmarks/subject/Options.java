// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.subject;

import java.util.HashMap;
import java.util.Map;

/** The arguments of a system under test, each {@code name=value}. Immutable. */
public final class Options {
  private final Map<String, String> values;

  private Options(Map<String, String> values) {
    this.values = Map.copyOf(values);
  }

  /**
   * Reads arguments.
   *
   * @throws IllegalArgumentException if one is not {@code name=value}
   */
  public static Options of(String... args) {
    Map<String, String> values = new HashMap<>();
    for (String arg : args) {
      int equals = arg.indexOf('=');
      if (equals < 1) {
        throw new IllegalArgumentException("'" + arg + "' is not name=value");
      }
      values.put(arg.substring(0, equals), arg.substring(equals + 1));
    }
    return new Options(values);
  }

  /** A value that has to be there. */
  public String text(String name) {
    String value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException(name + "= is missing");
    }
    return value;
  }

  /** A value, or another one where it is not given. */
  public String text(String name, String otherwise) {
    return values.getOrDefault(name, otherwise);
  }

  /** A number, or another one where it is not given. */
  public long number(String name, long otherwise) {
    String value = values.get(name);
    return value == null ? otherwise : Long.parseLong(value);
  }

  /** As {@link #number}. */
  public int integer(String name, int otherwise) {
    return Math.toIntExact(number(name, otherwise));
  }

  /** The brokers. */
  public String bootstrap() {
    return text("bootstrap");
  }

  /** The topic to consume. */
  public String topic() {
    return text("topic");
  }

  /** The consumer group. */
  public String group() {
    return text("group");
  }

  /** How many tasks are to run at once. */
  public int concurrency() {
    return integer("concurrency", 16);
  }
}
