// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.BackpressureException;
import dev.sluice.ConfigException;
import dev.sluice.PermanentTaskException;
import dev.sluice.RetriableTaskException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import dev.sluice.time.Clock;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Works tasks in processes that live on, one per running task: each gets a JSON object per task on
 * one line of its standard input, and answers with one on its standard output.
 *
 * <pre>
 * in   {"id":…,"type":…,"queue":…,"key":…,"attempt":…,"headers":{…},"payload":JSON}
 *      (a payload that is no JSON is "payloadBase64")
 * out  {"id":…,"progress":"42 %"}                             as often as wanted, before one of
 *      {"id":…,"outcome":"done","result":JSON,"submit":[{"queue":…,"type":…,"key":…,"id":…,"payload":JSON}]}
 *      {"id":…,"outcome":"retry|fail","message":…}            a failed attempt; failed for good
 *      {"id":…,"outcome":"snooze|backpressure","delay":"30s","message":…}
 * </pre>
 *
 * <p>A process that ends in the middle of a task fails that attempt; others are not concerned. A
 * new one is started for the next task, after a pause that doubles from 100 ms to 10 s while they
 * end without having answered; tasks that come meanwhile are held back without an attempt used. At
 * the time-out and at the end of the hand-over time the process is ended with all its descendants.
 * What it prints on standard error is logged with the id of its task. Thread-safe.
 */
final class LinesHandler implements TaskHandler<byte[]>, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LinesHandler.class);

  /** Passes numbers on as they are. */
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  private static final long BACKOFF_NANOS_MIN = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long BACKOFF_NANOS_MAX = TimeUnit.SECONDS.toNanos(10);
  private static final int SHOWN_CHARS = 200;

  private final List<String> command;
  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by the lock.
  private final ArrayDeque<LineChild> idle = new ArrayDeque<>();
  private long backoffNanos;
  private long notBeforeNanos;
  private boolean closed;

  /**
   * @throws ConfigException if the first word is no program that can be run
   */
  LinesHandler(List<String> command, Clock clock) {
    this.command = List.copyOf(command);
    this.clock = clock;
    this.notBeforeNanos = clock.nanos();
    if (!ExecHandler.runnable(command.get(0), System.getenv("PATH"))) {
      throw new ConfigException(
          "The command '"
              + command.get(0)
              + "' of the handler lines: is no program on the PATH; install it, or write its whole"
              + " path");
    }
  }

  @Override
  public void handle(Task<byte[]> task, TaskContext context) throws InterruptedException {
    byte[] line = line(task, context);
    LineChild child = take();
    boolean fit = false;
    try {
      String id = String.valueOf(task.id());
      if (!child.send(id, line)) {
        died();
        throw new RetriableTaskException(
            "The command " + command.get(0) + " takes no task: it " + child.ending());
      }
      JsonNode answer = answer(child, id, context);
      fit = true;
      answered();
      new HandlerAnswer("The command " + command.get(0)).conclude(task, context, answer);
    } finally {
      if (fit) {
        giveBack(child);
      } else {
        child.end();
      }
    }
  }

  // ---- processes ----

  private LineChild take() {
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("The worker stops");
      }
      for (LineChild child = idle.pollLast(); child != null; child = idle.pollLast()) {
        if (child.isAlive()) {
          return child;
        }
        LOG.warn("A process of {} ended while it had no task", command.get(0));
        child.end();
      }
      long wait = notBeforeNanos - clock.nanos();
      if (wait > 0) {
        throw new BackpressureException(
            "Processes of the command " + command.get(0) + " end without an answer",
            Duration.ofNanos(wait));
      }
    } finally {
      lock.unlock();
    }
    try {
      return new LineChild(new ProcessBuilder(command).start());
    } catch (IOException e) {
      died();
      // It was there when the worker started; now processes or memory ran out, or it is replaced.
      throw new RetriableTaskException(
          "The command " + command.get(0) + " cannot be started: " + e.getMessage(), e);
    }
  }

  private void giveBack(LineChild child) {
    boolean over;
    lock.lock();
    try {
      over = closed;
      if (!over) {
        idle.addLast(child);
      }
    } finally {
      lock.unlock();
    }
    if (over) {
      child.close();
    }
  }

  private void died() {
    lock.lock();
    try {
      backoffNanos =
          backoffNanos == 0 ? BACKOFF_NANOS_MIN : Math.min(BACKOFF_NANOS_MAX, backoffNanos * 2);
      notBeforeNanos = clock.nanos() + backoffNanos;
    } finally {
      lock.unlock();
    }
  }

  private void answered() {
    lock.lock();
    try {
      backoffNanos = 0;
    } finally {
      lock.unlock();
    }
  }

  /** Ends the processes: those at work, too, when they have answered. */
  @Override
  public void close() {
    List<LineChild> all;
    lock.lock();
    try {
      closed = true;
      all = List.copyOf(idle);
      idle.clear();
    } finally {
      lock.unlock();
    }
    all.forEach(LineChild::close);
  }

  // ---- lines ----

  private static byte[] line(Task<byte[]> task, TaskContext context) {
    ObjectNode line = JSON.createObjectNode();
    line.put("id", task.id());
    line.put("type", task.type());
    line.put("queue", task.queue());
    if (task.key() != null) {
      line.put("key", task.keyAsString());
    }
    line.put("attempt", context.attempt());
    ObjectNode headers = line.putObject("headers");
    task.headers().forEach(headers::put);
    JsonNode payload = tree(task.payload());
    if (payload != null) {
      line.set("payload", payload);
    } else {
      line.put("payloadBase64", Base64.getEncoder().encodeToString(task.payload()));
    }
    try {
      return JSON.writeValueAsBytes(line);
    } catch (JsonProcessingException e) {
      throw new PermanentTaskException("The task cannot be written as JSON", e);
    }
  }

  private static @Nullable JsonNode tree(byte[] payload) {
    try {
      JsonNode tree = JSON.readTree(payload);
      return tree == null || tree.isMissingNode() ? null : tree;
    } catch (IOException e) {
      return null;
    }
  }

  /** The answer about this task; progress comes before it. */
  private JsonNode answer(LineChild child, String id, TaskContext context)
      throws InterruptedException {
    while (true) {
      LineChild.Reply reply = child.next();
      if (reply instanceof LineChild.Ended) {
        died();
        throw new RetriableTaskException("The command " + command.get(0) + " " + child.ending());
      }
      if (reply instanceof LineChild.TooLong) {
        throw new RetriableTaskException(
            "The command "
                + command.get(0)
                + " printed a line of more than "
                + LineChild.LINE_BYTES_MAX
                + " bytes");
      }
      String text = ((LineChild.Line) reply).text();
      JsonNode answer = text.isBlank() ? null : tree(text.getBytes(UTF_8));
      if (answer == null || !answer.isObject()) {
        throw new RetriableTaskException(
            "The command "
                + command.get(0)
                + " printed a line that is no JSON object: '"
                + shown(text)
                + "'. Print to standard error what is for people.");
      }
      if (!id.equals(answer.path("id").asText())) {
        throw new RetriableTaskException(
            "The command " + command.get(0) + " answered about another task: " + shown(text));
      }
      if (!answer.has("progress") || answer.has("outcome")) {
        return answer;
      }
      context.heartbeat(answer.get("progress").asText());
    }
  }

  private static String shown(String text) {
    return Printable.text(text.length() <= SHOWN_CHARS ? text : text.substring(0, SHOWN_CHARS));
  }
}
