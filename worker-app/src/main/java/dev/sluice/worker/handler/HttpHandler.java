// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.BackpressureException;
import dev.sluice.ConfigException;
import dev.sluice.PermanentTaskException;
import dev.sluice.RetriableTaskException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import dev.sluice.time.SystemClock;
import dev.sluice.wire.TaskHeaders;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/**
 * Posts each task to a URL. 2xx completes it; 429, and 503 with {@code Retry-After}, hold the
 * handler back without using up an attempt; other 5xx, time-outs and connection errors are failed
 * attempts; everything else is a dead letter. No redirect is followed, and at most 64 KiB of an
 * answer are read.
 */
final class HttpHandler implements TaskHandler<byte[]> {
  private static final int ANSWER_BYTES_MAX = 64 << 10;
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  private final HttpClient client =
      HttpClient.newBuilder()
          .connectTimeout(CONNECT_TIMEOUT)
          .followRedirects(HttpClient.Redirect.NEVER)
          .build();
  private final URI uri;

  HttpHandler(String url) {
    try {
      uri = URI.create(url);
    } catch (IllegalArgumentException e) {
      throw new ConfigException("The handler's URL '" + url + "' is no URL: " + e.getMessage(), e);
    }
    String scheme = uri.getScheme();
    if (uri.getHost() == null || !("http".equals(scheme) || "https".equals(scheme))) {
      throw new ConfigException(
          "The handler's URL '" + url + "' must be http://HOST/... or https://HOST/...");
    }
  }

  @Override
  public void handle(Task<byte[]> task, TaskContext context) throws InterruptedException {
    String contentType = task.headers().getOrDefault(TaskHeaders.CONTENT_TYPE, "application/json");
    HttpRequest request =
        HttpRequest.newBuilder(uri)
            .header("Content-Type", contentType)
            .header("ce-specversion", "1.0")
            .header("ce-id", printable(String.valueOf(task.id())))
            .header("ce-type", printable(task.type()))
            .header("ce-source", "sluice")
            .header("Idempotency-Key", printable(String.valueOf(task.id())))
            .POST(HttpRequest.BodyPublishers.ofByteArray(task.payload()))
            .build();
    try {
      HttpResponse<InputStream> response =
          client.send(request, HttpResponse.BodyHandlers.ofInputStream());
      try (InputStream body = response.body()) {
        judge(response, new String(body.readNBytes(ANSWER_BYTES_MAX), UTF_8));
      }
    } catch (IOException e) {
      throw new RetriableTaskException("POST " + uri + " failed: " + e, e);
    }
  }

  private void judge(HttpResponse<?> response, String body) {
    int status = response.statusCode();
    if (status / 100 == 2) {
      return;
    }
    String text = "POST " + uri + " answered " + status + ": " + body.strip();
    Optional<String> retryAfter = response.headers().firstValue("Retry-After");
    if (status == 429 || status == 503 && retryAfter.isPresent()) {
      throw new BackpressureException(
          text, retryAfter.map(HttpHandler::delay).orElse(Duration.ofSeconds(1)));
    }
    if (status / 100 == 5 || status == 408) {
      throw new RetriableTaskException(text);
    }
    throw new PermanentTaskException(text);
  }

  /** Seconds or an HTTP date; one second where it is neither. */
  static Duration delay(String retryAfter) {
    try {
      return Duration.ofSeconds(Math.min(86_400, Long.parseLong(retryAfter.trim())));
    } catch (NumberFormatException e) {
      try {
        Instant at =
            ZonedDateTime.parse(retryAfter.trim(), DateTimeFormatter.RFC_1123_DATE_TIME)
                .toInstant();
        return Duration.between(Instant.ofEpochMilli(SystemClock.INSTANCE.epochMillis()), at);
      } catch (DateTimeParseException notADate) {
        return Duration.ofSeconds(1);
      }
    }
  }

  private static String printable(String text) {
    return text.replaceAll("[^\\x20-\\x7e]", "_");
  }
}
