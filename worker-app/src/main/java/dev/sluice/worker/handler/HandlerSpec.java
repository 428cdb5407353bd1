// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import dev.sluice.ConfigException;
import dev.sluice.TaskHandler;
import dev.sluice.queue.Quantities;
import dev.sluice.queue.Suggestions;
import dev.sluice.time.SystemClock;
import dev.sluice.wire.PayloadCodec;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Handlers by their specification, as {@code work --handler} takes it. */
public final class HandlerSpec {
  private static final Logger TASKS = LoggerFactory.getLogger("dev.sluice.tasks");
  private static final List<String> KINDS =
      List.of("log", "sleep", "exec", "lines", "http", "class");
  private static final Duration SLEEP_MAX = Duration.ofDays(1);

  private HandlerSpec() {}

  /**
   * The handler of a specification. One that owns threads or files is {@link AutoCloseable}, and is
   * to be closed when the last task has ended.
   *
   * @param spec {@code log}, {@code sleep:DURATION} (0 to 1 day), {@code exec:COMMAND}, {@code
   *     lines:COMMAND}, {@code http:URL} or {@code class:NAME}
   * @param codec decodes the payloads of typed classes
   * @param loader finds the classes
   * @param commandOutput where what the commands of {@code exec} print goes
   * @throws ConfigException if it names none
   */
  public static TaskHandler<byte[]> parse(
      String spec, PayloadCodec codec, ClassLoader loader, Redirect commandOutput) {
    int colon = spec.indexOf(':');
    String kind = colon < 0 ? spec : spec.substring(0, colon);
    String rest = colon < 0 ? "" : spec.substring(colon + 1);
    return switch (kind) {
      case "log" -> log(spec, rest);
      case "sleep" -> sleep(spec, rest);
      case "exec" -> new ExecHandler(CommandWords.split(rest), commandOutput);
      case "lines" -> new LinesHandler(CommandWords.split(rest), SystemClock.INSTANCE);
      case "http" ->
          new HttpHandler(rest.startsWith("//") ? spec : rest.strip(), SystemClock.INSTANCE);
      case "https" -> new HttpHandler(spec, SystemClock.INSTANCE);
      case "class" -> ClassHandler.load(rest, codec, loader);
      default ->
          throw new ConfigException(
              "Handler '"
                  + spec
                  + "' is unknown. "
                  + Suggestions.forWord(kind, KINDS)
                  + " Handlers are log, sleep:DURATION, exec:COMMAND, lines:COMMAND, http:URL and"
                  + " class:NAME.");
    };
  }

  /** The host, with its port, that a handler of this specification calls; null if it calls none. */
  public static @Nullable String host(String spec) {
    if (!spec.startsWith("http:") && !spec.startsWith("https:")) {
      return null;
    }
    String url = spec.startsWith("http:") && !spec.startsWith("http://") ? spec.substring(5) : spec;
    try {
      URI uri = URI.create(url.strip());
      int port = uri.getPort() >= 0 ? uri.getPort() : "https".equals(uri.getScheme()) ? 443 : 80;
      return uri.getHost() == null ? null : uri.getHost().toLowerCase(Locale.ROOT) + ":" + port;
    } catch (IllegalArgumentException e) {
      return null; // whoever makes the handler says what is wrong
    }
  }

  private static TaskHandler<byte[]> log(String spec, String rest) {
    if (!rest.isEmpty()) {
      throw new ConfigException("Handler '" + spec + "' has an argument; log takes none");
    }
    return (task, context) ->
        TASKS.info(
            "task {} type={} key={} attempt={} bytes={}",
            Printable.text(task.id()),
            Printable.text(task.type()),
            Printable.text(task.keyAsString()),
            context.attempt(),
            task.payload().length);
  }

  private static TaskHandler<byte[]> sleep(String spec, String rest) {
    Duration time = Quantities.duration(rest);
    if (time.isNegative() || time.compareTo(SLEEP_MAX) > 0) {
      throw new ConfigException("Handler '" + spec + "' must sleep from 0 to 1 day");
    }
    long nanos = time.toNanos();
    // A latch that nobody counts down: it waits as long as it should, and an interruption ends it.
    return (task, context) -> {
      if (new CountDownLatch(1).await(nanos, TimeUnit.NANOSECONDS)) {
        throw new IllegalStateException("nobody counts this latch down");
      }
    };
  }
}
