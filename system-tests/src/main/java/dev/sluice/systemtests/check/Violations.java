// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** What was found, counted by rule, with the first texts of each. */
final class Violations {
  private static final int TEXTS_MAX = 20;

  private final Map<Rule, Long> counts = new EnumMap<>(Rule.class);
  private final Map<Rule, List<String>> texts = new EnumMap<>(Rule.class);

  void add(Rule rule, String text) {
    counts.merge(rule, 1L, Long::sum);
    List<String> ofRule = texts.computeIfAbsent(rule, r -> new ArrayList<>());
    if (ofRule.size() < TEXTS_MAX) {
      ofRule.add(rule + ": " + text);
    }
  }

  long count(Rule rule) {
    return counts.getOrDefault(rule, 0L);
  }

  List<String> texts() {
    return texts.values().stream().flatMap(List::stream).toList();
  }
}
