// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import dev.sluice.ConfigException;
import dev.sluice.TaskHandler;
import dev.sluice.queue.Quantities;
import dev.sluice.queue.Suggestions;
import dev.sluice.wire.PayloadCodec;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;

/** Handlers by their specification, as {@code work --handler} takes it. */
public final class HandlerSpec {
  private static final List<String> KINDS =
      List.of("log", "sleep", "exec", "http", "https", "class");

  private HandlerSpec() {}

  /**
   * The handler of a specification.
   *
   * @param spec {@code log}, {@code sleep:DURATION}, {@code exec:COMMAND}, {@code http:URL} or
   *     {@code class:NAME}
   * @param codec decodes the payloads of typed classes
   * @param loader finds the classes
   * @throws ConfigException if it names none
   */
  public static TaskHandler<byte[]> parse(String spec, PayloadCodec codec, ClassLoader loader) {
    int colon = spec.indexOf(':');
    String kind = colon < 0 ? spec : spec.substring(0, colon);
    String rest = colon < 0 ? "" : spec.substring(colon + 1);
    switch (kind) {
      case "log":
        return (task, context) ->
            LoggerFactory.getLogger("dev.sluice.tasks")
                .info(
                    "task {} type={} key={} attempt={} bytes={}",
                    task.id(),
                    task.type(),
                    task.keyAsString(),
                    context.attempt(),
                    task.payload().length);
      case "sleep":
        return sleep(Quantities.duration(rest).toNanos());
      case "exec":
        return new ExecHandler(CommandWords.split(rest));
      case "http":
        return new HttpHandler(rest.startsWith("//") ? spec : rest);
      case "https":
        return new HttpHandler(spec);
      case "class":
        return ClassHandler.load(rest, codec, loader);
      default:
        throw new ConfigException(
            "Handler '"
                + spec
                + "' is unknown. "
                + Suggestions.forWord(kind, KINDS)
                + " Handlers are log, sleep:DURATION, exec:COMMAND, http:URL and class:NAME.");
    }
  }

  private static TaskHandler<byte[]> sleep(long nanos) {
    // A latch that nobody counts down: it waits as long as it should, and an interruption ends it.
    return (task, context) -> {
      if (new CountDownLatch(1).await(nanos, TimeUnit.NANOSECONDS)) {
        throw new IllegalStateException("nobody counts this latch down");
      }
    };
  }
}
