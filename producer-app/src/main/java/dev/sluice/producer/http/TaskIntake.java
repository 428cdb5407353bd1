// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.http;

import dev.sluice.QueueFullException;
import dev.sluice.SluiceException;
import dev.sluice.Task;
import dev.sluice.UnknownOutcomeException;
import dev.sluice.producer.TaskHandle;
import dev.sluice.producer.TaskProducer;
import dev.sluice.producer.TaskRefusedException;
import dev.sluice.producer.http.RequestBody.RefusedBodyException;
import dev.sluice.producer.source.JsonText;
import dev.sluice.producer.source.LineReader;
import dev.sluice.wire.TaskHeaders;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Publishes the tasks of one request and says what became of each. What is answered as accepted has
 * been acknowledged; a request that goes wrong in the middle stops there, and its answer names the
 * line, the ids accepted before it, and those whose fate is not known. For one thread.
 */
final class TaskIntake {
  /** What is alike in all tasks of the request. */
  record Shape(
      String queue,
      String type,
      @Nullable String key,
      @Nullable String keyField,
      @Nullable String id,
      Map<String, String> headers) {
    Task<byte[]> task(byte[] payload, @Nullable String fieldKey) {
      Task<byte[]> task =
          Task.of(queue, type, payload).header(TaskHeaders.CONTENT_TYPE, "application/json");
      for (Map.Entry<String, String> header : headers.entrySet()) {
        task = task.header(header.getKey(), header.getValue());
      }
      String ordering = fieldKey == null ? key : fieldKey;
      task = ordering == null ? task : task.key(ordering);
      return id == null ? task : task.id(id);
    }
  }

  private record Sent(long line, TaskHandle handle) {}

  private final TaskProducer producer;
  private final GatewayLimits limits;
  private final RequestBody body;
  private final Shape shape;
  private final List<Sent> sent = new ArrayList<>();
  private int status = 202;
  private @Nullable String error;
  private long errorLine;
  private @Nullable Duration retryAfter;

  TaskIntake(TaskProducer producer, GatewayLimits limits, RequestBody body, Shape shape) {
    this.producer = producer;
    this.limits = limits;
    this.body = body;
    this.shape = shape;
  }

  /** The body is one task. */
  Reply one() throws IOException {
    try {
      byte[] payload = body.readNBytes(limits.taskBytes() + 1);
      if (payload.length > limits.taskBytes()) {
        stop(413, "The task is longer than " + limits.taskBytes() + " bytes.", 0);
      } else {
        publish(payload, 1);
      }
    } catch (RefusedBodyException e) {
      stop(e.status(), text(e), 0);
    }
    return answer();
  }

  /** The body is a task per line. */
  Reply lines() throws IOException {
    try (LineReader lines = new LineReader(body, limits.taskBytes())) {
      while (error == null) {
        byte[] line = lines.next();
        if (line == null) {
          break;
        }
        if (lines.tooLong()) {
          stop(413, "The line is longer than " + limits.taskBytes() + " bytes.", lines.number());
        } else if (lines.number() > limits.lines()) {
          stop(413, "There are more than " + limits.lines() + " lines.", lines.number());
        } else if (!new String(line, java.nio.charset.StandardCharsets.ISO_8859_1).isBlank()) {
          publish(line, lines.number());
        }
      }
    } catch (RefusedBodyException e) {
      stop(e.status(), text(e), 0);
    }
    return answer();
  }

  private void publish(byte[] payload, long line) {
    try {
      String fieldKey = JsonText.check(payload, shape.keyField());
      Duration room = Duration.ofNanos(Math.min(body.leftNanos(), limits.room().toNanos()));
      sent.add(new Sent(line, producer.submitAsync(shape.task(payload, fieldKey), room)));
    } catch (JsonText.NotJsonException e) {
      stop(400, text(e), line);
    } catch (QueueFullException e) {
      stop(429, text(e), line);
      retryAfter = e.retryAfter();
    } catch (TaskRefusedException e) {
      stop(status(e), text(e), line);
    }
  }

  private Reply answer() {
    List<String> accepted = new ArrayList<>();
    List<Map<String, Object>> unknown = new ArrayList<>();
    for (Sent one : sent) {
      try {
        var ignored = one.handle().awaitAccepted(Duration.ofNanos(body.leftNanos()));
        accepted.add(one.handle().id());
      } catch (UnknownOutcomeException e) {
        unknown.add(Map.of("line", one.line(), "id", one.handle().id()));
        if (error == null) {
          stop(504, text(e), one.line());
        }
      } catch (TaskRefusedException e) {
        if (error == null) {
          stop(status(e), text(e), one.line());
        }
      }
    }
    if (status == 503 && retryAfter == null) {
      retryAfter = Duration.ofSeconds(1);
    }
    return Reply.outcome(status, error, errorLine, accepted, unknown, retryAfter);
  }

  private void stop(int newStatus, String newError, long line) {
    status = newStatus;
    error = newError;
    errorLine = line;
  }

  private static int status(TaskRefusedException e) {
    return switch (e.reason()) {
      case TOO_LARGE -> 413;
      case INVALID -> 400;
      case SEALED -> 409;
      case CLOSED, NOT_AUTHORIZED, NO_TOPIC, NO_BROKER, INTERRUPTED, WOULD_DEADLOCK -> 503;
    };
  }

  private static String text(SluiceException e) {
    return String.valueOf(e.getMessage());
  }
}
