// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.BackpressureException;
import dev.sluice.ConfigException;
import dev.sluice.PermanentTaskException;
import dev.sluice.RetriableTaskException;
import dev.sluice.SnoozeException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.queue.Quantities;
import java.time.Duration;

/**
 * What a handler in another language says of a task, as a JSON object: {@code outcome} (done,
 * retry, fail, snooze, backpressure) with {@code result}, {@code submit}, {@code message} and
 * {@code delay}. Immutable.
 *
 * @param who said it, as the beginning of a sentence
 */
record HandlerAnswer(String who) {
  private static final int SHOWN_CHARS = 200;

  /** Does what it says. */
  void conclude(Task<byte[]> task, TaskContext context, JsonNode answer) {
    String message = answer.path("message").asText("no message");
    switch (answer.path("outcome").asText()) {
      case "done" -> {
        for (JsonNode child : answer.path("submit")) {
          context.submit(child(task, child));
        }
        if (answer.hasNonNull("result")) {
          context.result(answer.get("result"));
        }
      }
      case "retry" -> throw new RetriableTaskException(message);
      case "fail" -> throw new PermanentTaskException(message);
      case "snooze" -> throw new SnoozeException(message, delay(answer));
      case "backpressure" -> throw new BackpressureException(message, delay(answer));
      default ->
          throw new PermanentTaskException(
              who
                  + " answered without an outcome that is known: "
                  + shown(answer.toString())
                  + ". Outcomes are done, retry, fail, snooze and backpressure.");
    }
  }

  private static Task<JsonNode> child(Task<byte[]> parent, JsonNode said) {
    if (!said.hasNonNull("payload")) {
      throw new PermanentTaskException(
          "A submitted task has no payload: " + shown(said.toString()));
    }
    Task<JsonNode> child =
        Task.of(
            said.path("queue").asText(parent.queue()),
            said.path("type").asText(parent.type()),
            said.get("payload"));
    if (said.hasNonNull("key")) {
      child = child.key(said.get("key").asText());
    }
    return said.hasNonNull("id") ? child.id(said.get("id").asText()) : child;
  }

  private static Duration delay(JsonNode answer) {
    try {
      return Quantities.duration(answer.path("delay").asText("1s"));
    } catch (ConfigException e) {
      throw new PermanentTaskException("The answer has a delay that is none: " + e.getMessage(), e);
    }
  }

  /** The beginning of a text, without what a terminal would obey. */
  static String shown(String text) {
    return Printable.text(text.length() <= SHOWN_CHARS ? text : text.substring(0, SHOWN_CHARS));
  }
}
