// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import dev.sluice.ConfigException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The priorities of a queue. Each is a topic of its own, so that no urgent task lies behind others
 * in a log: priority 0, the least, is the topic of the queue, and priority n is that name and
 * {@code .pn}. Immutable.
 *
 * @param weights of the priorities, from 0 on: their parts of the starts while all have work; 1 to
 *     10 of them, each 1 to 1,000
 * @param floor the least part of the starts that any of them gets while it has work, whatever the
 *     weights; 0 to one over their number
 */
public record PrioritiesDefinition(List<Integer> weights, double floor) {
  /** All tasks are as urgent as the others. */
  public static final PrioritiesDefinition NONE = new PrioritiesDefinition(List.of(1), 0);

  /** The most priorities of a queue. */
  public static final int LEVELS_MAX = 10;

  private static final int WEIGHT_MAX = 1_000;

  public PrioritiesDefinition {
    weights = List.copyOf(weights);
    Ranges.check("priorities", weights.size(), 1, LEVELS_MAX);
    weights.forEach(weight -> Ranges.check("priorities.weights", weight, 1, WEIGHT_MAX));
    if (!(floor >= 0 && floor * weights.size() <= 1)) {
      throw new ConfigException(
          "priorities.floor is "
              + floor
              + "; with "
              + weights.size()
              + " priorities it must be from 0 to "
              + 1.0 / weights.size());
    }
  }

  /** So many priorities, each with three times the weight of the one below, up to 1,000. */
  public static PrioritiesDefinition levels(int levels) {
    Ranges.check("priorities", levels, 1, LEVELS_MAX);
    List<Integer> weights = new ArrayList<>();
    for (int weight = 1; weights.size() < levels; weight = Math.min(WEIGHT_MAX, 3 * weight)) {
      weights.add(weight);
    }
    return new PrioritiesDefinition(weights, 0);
  }

  /** How many there are. */
  public int levels() {
    return weights.size();
  }

  /** The part of the starts that a priority gets while all have work. */
  public double share(int level) {
    double sum = weights.stream().mapToInt(Integer::intValue).sum();
    return floor + (1 - floor * weights.size()) * weights.get(level) / sum;
  }

  /** The topic of a priority of the queue with that topic. */
  public static String topic(String topic, int level) {
    return level == 0 ? topic : topic + ".p" + level;
  }

  /** The topics of a queue with that topic and so many priorities, from 0 on. */
  public static List<String> topics(String topic, int levels) {
    List<String> all = new ArrayList<>();
    for (int level = 0; level < levels; level++) {
      all.add(topic(topic, level));
    }
    return Collections.unmodifiableList(all);
  }
}
