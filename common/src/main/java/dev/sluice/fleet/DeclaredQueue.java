// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import dev.sluice.queue.PrioritiesDefinition;
import java.util.List;

/**
 * What the processes of a queue were configured with, so that those that know its name only find
 * the rest. The last one that declared it counts. Immutable.
 *
 * @param queue its name
 * @param topic its topic
 * @param group the consumer group of its workers
 * @param capacity tasks that producers may have in it; 0 for no bound
 * @param targetDelayMillis the delay that its tasks should have; 0 for none
 * @param priorities that it has, each with a topic of its own
 * @param childrenPerTask how many tasks one of it may submit into it, for which it waits for room;
 *     0 if they pass the capacity by
 * @param by the name of the process that said so
 * @param atMillis when, in epoch milliseconds
 */
public record DeclaredQueue(
    String queue,
    String topic,
    String group,
    long capacity,
    long targetDelayMillis,
    PrioritiesDefinition priorities,
    int childrenPerTask,
    String by,
    long atMillis) {
  public DeclaredQueue {
    if (capacity < 0 || targetDelayMillis < 0 || childrenPerTask < 0) {
      throw new IllegalArgumentException("The declaration of queue " + queue + " is impossible");
    }
  }

  /** Whether it says the same, whoever said it. */
  public boolean saysTheSameAs(DeclaredQueue other) {
    return queue.equals(other.queue)
        && topic.equals(other.topic)
        && group.equals(other.group)
        && capacity == other.capacity
        && targetDelayMillis == other.targetDelayMillis
        && priorities.equals(other.priorities)
        && childrenPerTask == other.childrenPerTask;
  }

  /** The topics of its tasks, by priority from 0 on. */
  public List<String> topics() {
    return PrioritiesDefinition.topics(topic, priorities.levels());
  }
}
