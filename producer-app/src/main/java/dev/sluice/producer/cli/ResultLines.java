// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.TaskResult;
import dev.sluice.producer.TaskHandle;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Prints one JSON line per task when it has ended, in the order in which they end. Thread-safe; so
 * many are waited for at once that those who submit more wait with them.
 */
final class ResultLines {
  static final int WAITING_MAX = 100_000;

  /** Passes numbers on as they are. */
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  private final PrintWriter out;
  private final Semaphore room = new Semaphore(WAITING_MAX);
  private final AtomicLong done = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final AtomicLong unknown = new AtomicLong();

  ResultLines(PrintWriter out) {
    this.out = out;
  }

  /**
   * Waits for a task, too.
   *
   * @throws InterruptedException if the thread was interrupted while too many were waited for
   */
  void add(TaskHandle handle) throws InterruptedException {
    room.acquire();
    var ignored =
        handle
            .ended()
            .whenComplete(
                (result, failure) -> {
                  if (result != null) {
                    print(result);
                  } else if (!handle.accepted().isCompletedExceptionally()) {
                    unknown.incrementAndGet(); // it was submitted, and then nobody told
                  }
                  room.release();
                });
  }

  private void print(TaskResult result) {
    (result.outcome() == TaskResult.Outcome.DONE ? done : failed).incrementAndGet();
    String line = line(result);
    synchronized (out) {
      out.println(line);
      out.flush();
    }
  }

  static String line(TaskResult result) {
    ObjectNode line = JSON.createObjectNode();
    line.put("id", result.id());
    line.put("outcome", result.outcome().name().toLowerCase(Locale.ROOT));
    line.put("attempts", result.attempts());
    if (result.payload().length > 0) {
      line.set("result", value(result.payload()));
    }
    if (result.errorType() != null) {
      line.putObject("error").put("type", result.errorType()).put("message", result.errorMessage());
    }
    try {
      return JSON.writeValueAsString(line);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A tree of texts and numbers cannot be written", e);
    }
  }

  /** JSON as it is, and everything else as text. */
  private static JsonNode value(byte[] payload) {
    try {
      JsonNode tree = JSON.readTree(payload);
      if (tree != null && !tree.isMissingNode()) {
        return tree;
      }
    } catch (IOException e) {
      // It is no JSON.
    }
    return JSON.getNodeFactory().textNode(new String(payload, UTF_8));
  }

  /**
   * Waits until all have ended.
   *
   * @return false if the time was up
   */
  boolean await(long millis) throws InterruptedException {
    if (!room.tryAcquire(WAITING_MAX, millis, TimeUnit.MILLISECONDS)) {
      return false;
    }
    room.release(WAITING_MAX);
    return true;
  }

  /** How many handlers have returned. */
  long done() {
    return done.get();
  }

  /** How many ended in another way. */
  long failed() {
    return failed.get();
  }

  /** How many were submitted, and how they ended is not known. */
  long unknown() {
    return unknown.get();
  }

  /** How many are waited for. */
  long open() {
    return WAITING_MAX - room.availablePermits();
  }

  /** The sum of it, for people. */
  String text(@Nullable String why) {
    StringBuilder text = new StringBuilder();
    text.append(done()).append(" done, ").append(failed()).append(" failed");
    if (unknown() > 0) {
      text.append(", ").append(unknown()).append(" not known");
    }
    if (open() > 0) {
      text.append(", ").append(open()).append(" still open");
    }
    return why == null ? text.toString() : text + " (" + why + ")";
  }
}
