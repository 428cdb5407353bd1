// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.Task;
import dev.sluice.fleet.DeclaredQueue;
import dev.sluice.producer.TaskRefusedException.Reason;
import dev.sluice.producer.gate.CreditDesk;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.wire.TaskHeaders;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Which priorities queues have: as their workers say, else as this producer was told. */
final class PriorityLevels {
  private final Map<String, Integer> own;
  private final CreditDesk desk;

  PriorityLevels(Map<String, Integer> own, CreditDesk desk) {
    this.own = Map.copyOf(own);
    this.desk = desk;
  }

  /**
   * The topic of a task in the queue with that topic.
   *
   * @throws TaskRefusedException if the queue does not have its priority, or nobody knows that
   */
  String topic(Task<?> task, String topic) {
    Map<String, String> headers = task.headers();
    String given = headers.isEmpty() ? null : headers.get(TaskHeaders.PRIORITY);
    if (given == null || given.equals("0")) {
      return topic;
    }
    int level;
    try {
      level = Integer.parseInt(given.trim());
    } catch (NumberFormatException e) {
      throw invalid(task, "its priority is '" + given + "', which is no whole number", e);
    }
    int levels = levels(task);
    if (level < 0 || level >= levels) {
      throw invalid(
          task,
          "its priority is "
              + level
              + ", and its queue has 0 to "
              + (levels - 1)
              + ". Raise 'priorities' of the queue, at its workers first",
          null);
    }
    return PrioritiesDefinition.topic(topic, level);
  }

  /** What a task says; 0 where it says nothing, or what is no number and is refused later. */
  static int priorityOf(Task<?> task) {
    Map<String, String> headers = task.headers();
    String given = headers.isEmpty() ? null : headers.get(TaskHeaders.PRIORITY);
    return given == null || given.length() != 1
        ? 0
        : Math.max(0, Character.digit(given.charAt(0), 10));
  }

  private int levels(Task<?> task) {
    Optional<DeclaredQueue> declared;
    try {
      declared = desk.awaitDeclared(task.queue());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TaskRefusedException(
          Reason.INTERRUPTED,
          task + " was not published: interrupted while the priorities of its queue were read.",
          e);
    }
    if (declared.isPresent()) {
      return declared.get().priorities().levels();
    }
    Integer told = own.get(task.queue());
    if (told == null) {
      throw invalid(
          task,
          "it has a priority, and no worker has said yet which ones its queue has. Start a worker"
              + " first, or say so by 'priorities' in sluice.yaml or at the builder",
          null);
    }
    return told;
  }

  private static TaskRefusedException invalid(Task<?> task, String why, @Nullable Exception cause) {
    return new TaskRefusedException(
        Reason.INVALID, task + " was not published: " + why + ".", cause);
  }

  /** The topics of a queue with that topic, as far as they are known. */
  List<String> topics(String queue, String topic) {
    int levels =
        desk.declared(queue)
            .map(declared -> declared.priorities().levels())
            .orElse(own.getOrDefault(queue, 1));
    return PrioritiesDefinition.topics(topic, levels);
  }
}
