// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.BackpressureException;
import dev.sluice.ConfigException;
import dev.sluice.PermanentTaskException;
import dev.sluice.RetriableTaskException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import dev.sluice.time.Clock;
import dev.sluice.wire.TaskHeaders;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Posts each task to a URL, as a CloudEvent in binary mode with the task id as {@code
 * Idempotency-Key}. 2xx completes it, with the body as its result where one was asked for; a body
 * of the type {@code application/vnd.sluice.answer+json} says all that {@code lines:} can say; 429,
 * and 503 with {@code Retry-After}, hold the handler back without using up an attempt; other 5xx,
 * 408 and connection errors are failed attempts; everything else is a dead letter. No redirect is
 * followed, and at most 64 KiB of an answer are read. A connection has 10 s to be made; beyond that
 * the time-out of the attempt counts, whose interruption ends the request. User and password in the
 * URL are sent as Basic authentication, and neither they nor the query appear in any message.
 * Thread-safe.
 */
final class HttpHandler implements TaskHandler<byte[]>, AutoCloseable {
  private static final int ANSWER_BYTES_MAX = 64 << 10;

  /** The media type of an answer like those of {@code lines:}. */
  private static final String ANSWER = "application/vnd.sluice.answer+json";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int QUOTED_CHARS_MAX = 2 << 10;
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final int CLIENT_THREADS = 4;
  private static final int CLIENT_QUEUE = 1024;
  private static final List<String> PASSED_ON = List.of("traceparent", "tracestate", "baggage");

  private final URI uri;
  private final String shown;
  private final Clock clock;
  private final HttpRequest.Builder prototype;
  private final ThreadPoolExecutor threads = clientThreads();
  private final HttpClient client;

  /**
   * @throws ConfigException if that is no {@code http} or {@code https} URL with a host
   */
  HttpHandler(String url, Clock clock) {
    this.clock = clock;
    try {
      uri = URI.create(url);
      String scheme = uri.getScheme();
      if (uri.getHost() == null
          || !("http".equalsIgnoreCase(scheme) || "https".equalsIgnoreCase(scheme))) {
        throw new IllegalArgumentException("it must be http://HOST/... or https://HOST/...");
      }
      prototype = HttpRequest.newBuilder(uri);
    } catch (IllegalArgumentException e) {
      throw new ConfigException(
          "The handler's URL '" + url + "' cannot be used: " + e.getMessage(), e);
    }
    shown = shown(uri);
    if (uri.getUserInfo() != null) {
      prototype.header(
          "Authorization",
          "Basic " + Base64.getEncoder().encodeToString(uri.getUserInfo().getBytes(UTF_8)));
    }
    client =
        HttpClient.newBuilder()
            // With HTTP/2 all tasks would share one connection and its limit of streams.
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .followRedirects(HttpClient.Redirect.NEVER)
            .executor(threads)
            .build();
  }

  /**
   * The client's own default is a pool without bound. What its queue does not take, its caller
   * runs.
   */
  private static ThreadPoolExecutor clientThreads() {
    AtomicInteger number = new AtomicInteger();
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            CLIENT_THREADS,
            CLIENT_THREADS,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(CLIENT_QUEUE),
            task -> {
              Thread thread = new Thread(task, "sluice-http-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            },
            new ThreadPoolExecutor.CallerRunsPolicy());
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  private static String shown(URI uri) {
    String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
    return uri.getScheme() + "://" + uri.getHost() + port + uri.getRawPath();
  }

  @Override
  public void handle(Task<byte[]> task, TaskContext context) throws InterruptedException {
    HttpRequest request = request(task);
    try {
      HttpResponse<byte[]> answer = client.send(request, info -> new BoundedBody(ANSWER_BYTES_MAX));
      judge(answer.statusCode(), answer.headers().firstValue("Retry-After"), answer.body());
      String type = answer.headers().firstValue("Content-Type").orElse("");
      accept(task, context, type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT), answer.body());
    } catch (IOException e) {
      throw new RetriableTaskException("POST " + shown + " failed: " + e, e);
    }
  }

  /** It was done, as the status says; or what an answer in our own form says. */
  private void accept(Task<byte[]> task, TaskContext context, String type, byte[] body) {
    if (type.equals(ANSWER)) {
      new HandlerAnswer("POST " + shown).conclude(task, context, json(body));
    } else if (body.length > 0 && task.headers().containsKey(TaskHeaders.REPLY_TO)) {
      if (body.length >= ANSWER_BYTES_MAX) {
        throw new PermanentTaskException(
            "POST "
                + shown
                + " answered with a result of "
                + ANSWER_BYTES_MAX
                + " bytes or more, of which no more are read: answer with where it is");
      }
      context.result(type.endsWith("json") ? json(body) : new String(body, UTF_8));
    }
  }

  private JsonNode json(byte[] body) {
    try {
      JsonNode answer = JSON.readTree(body);
      if (answer != null && !answer.isMissingNode()) {
        return answer;
      }
    } catch (IOException e) {
      throw new PermanentTaskException(
          "POST " + shown + " answered with what is no JSON: " + e.getMessage(), e);
    }
    throw new PermanentTaskException("POST " + shown + " answered with an empty body as JSON");
  }

  private HttpRequest request(Task<byte[]> task) {
    Map<String, String> headers = task.headers();
    String id = Printable.header(String.valueOf(task.id()));
    HttpRequest.Builder request =
        prototype
            .copy()
            .header("Content-Type", contentType(headers.get(TaskHeaders.CONTENT_TYPE)))
            .header("ce-specversion", "1.0")
            .header("ce-id", id)
            .header("ce-type", Printable.header(task.type()))
            .header("ce-source", "sluice")
            .header("Idempotency-Key", id);
    for (String name : PASSED_ON) {
      String value = headers.get(name);
      if (value != null && isHeader(value)) {
        request.header(name, value);
      }
    }
    return request.POST(HttpRequest.BodyPublishers.ofByteArray(task.payload())).build();
  }

  private static String contentType(@Nullable String given) {
    if (given == null) {
      return "application/json";
    }
    return isHeader(given) ? given : "application/octet-stream";
  }

  private static boolean isHeader(String value) {
    return !value.isBlank() && value.chars().allMatch(c -> c >= 0x20 && c < 0x7f);
  }

  private void judge(int status, Optional<String> retryAfter, byte[] body) {
    if (status / 100 == 2) {
      return;
    }
    String said = new String(body, UTF_8).strip();
    String text =
        "POST "
            + shown
            + " answered "
            + status
            + ": "
            + said.substring(0, Math.min(said.length(), QUOTED_CHARS_MAX));
    if (status == 429 || status == 503 && retryAfter.isPresent()) {
      throw new BackpressureException(
          text, RetryAfter.parse(retryAfter.orElse(null), clock.epochMillis()));
    }
    if (status / 100 == 5 || status == 408) {
      throw new RetriableTaskException(text);
    }
    throw new PermanentTaskException(text);
  }

  /** Ends the client's threads; to be called when no task is at work any more. */
  @Override
  public void close() {
    threads.shutdown();
  }
}
