// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.sluice.ConfigException;
import dev.sluice.producer.TaskProducer;
import dev.sluice.queue.Quantities;
import dev.sluice.time.Clock;
import dev.sluice.wire.TaskHeaders;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import org.jspecify.annotations.Nullable;

/** Lets requests in that may come in, and answers them. Thread-safe. */
final class GatewayHandler extends Handler.Abstract {
  private static final ObjectMapper JSON = JsonMapper.builder().build();
  private static final Pattern TASKS = Pattern.compile("/queues/([^/]+)/tasks");
  private static final String ONE = "application/json";
  private static final Set<String> LINES = Set.of("application/x-ndjson", "application/jsonl");
  private static final List<String> TRACE = List.of("traceparent", "tracestate", "baggage");
  private static final Set<String> CRITICALITIES = Set.of("critical", "sheddable");
  private static final List<Moment> MOMENTS =
      List.of(
          new Moment("deadline", "Sluice-Deadline", TaskHeaders.DEADLINE),
          new Moment("delay", "Sluice-Delay", TaskHeaders.NOT_BEFORE));
  private static final List<Mark> MARKS =
      List.of(
          new Mark(
              "priority",
              "Sluice-Priority",
              TaskHeaders.PRIORITY,
              Pattern.compile("[0-9]"),
              "0 to 9, and below the number of priorities of the queue"),
          new Mark(
              "tenant",
              "Sluice-Tenant",
              TaskHeaders.TENANT,
              Pattern.compile(".{1,200}"),
              "a name of at most 200 characters"));
  private static final Set<String> LOCAL_NAMES = Set.of("localhost", "127.0.0.1", "[::1]", "::1");
  private static final int SHORT_BODY = 1 << 16;

  /** A time that a request may give to its tasks. */
  private record Moment(String parameter, String header, String taskHeader) {}

  /** A text that a request may give to its tasks. */
  private record Mark(
      String parameter, String header, String taskHeader, Pattern form, String accepted) {}

  private final TaskProducer producer;
  private final GatewaySettings settings;
  private final Clock clock;
  private final byte @Nullable [] token;
  private volatile boolean stopping;

  GatewayHandler(TaskProducer producer, GatewaySettings settings, Clock clock) {
    this.producer = producer;
    this.settings = settings;
    this.clock = clock;
    String secret = settings.token();
    this.token = secret == null ? null : secret.getBytes(UTF_8);
  }

  void refuseFromNowOn() {
    stopping = true;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws IOException {
    Reply reply = reply(request, response);
    send(request, response, callback, reply);
    return true;
  }

  private Reply reply(Request request, Response response) throws IOException {
    String path = Request.getPathInContext(request);
    if (path.equals("/livez")) {
      return new Reply(200, Map.of("status", "up"), 0);
    }
    if (path.equals("/readyz")) {
      return stopping
          ? Reply.error(503, "The gateway is stopping.")
          : new Reply(200, Map.of("status", "up"), 0);
    }
    // A page in a browser on this machine could reach us under a name of its own (DNS rebinding).
    if (settings.open() && !isLocal(Request.getServerName(request))) {
      return Reply.error(
          403,
          "The gateway has no token and answers to localhost only, not to "
              + Request.getServerName(request)
              + ".");
    }
    if (!authorized(request.getHeaders())) {
      response.getHeaders().put(HttpHeader.WWW_AUTHENTICATE, "Bearer");
      return Reply.error(401, "Send the token as Authorization: Bearer.");
    }
    Matcher matcher = TASKS.matcher(path);
    if (!matcher.matches()) {
      return Reply.error(404, "There is POST /queues/{queue}/tasks, /livez and /readyz.");
    }
    String type = settings.defaultTypes().get(matcher.group(1));
    if (type == null) {
      return Reply.error(404, "This gateway does not serve the queue " + matcher.group(1) + ".");
    }
    if (!request.getMethod().equals("POST")) {
      response.getHeaders().put(HttpHeader.ALLOW, "POST");
      return Reply.error(405, "Only POST.");
    }
    if (stopping) {
      return Reply.error(503, "The gateway is stopping; send it to another one.");
    }
    return intake(request, matcher.group(1), type);
  }

  private Reply intake(Request request, String queue, String defaultType) throws IOException {
    HttpFields headers = request.getHeaders();
    String contentType = mediaType(headers.get(HttpHeader.CONTENT_TYPE));
    boolean lines = LINES.contains(contentType);
    if (!lines && !contentType.equals(ONE)) {
      return Reply.error(
          415, "Content-Type is to be " + ONE + " or application/x-ndjson, in UTF-8.");
    }
    if (headers.contains(HttpHeader.CONTENT_ENCODING)) {
      return Reply.error(415, "The body must not be compressed.");
    }
    long bytesMax =
        lines ? settings.limits().bodyBytes() : Math.min(settings.limits().bodyBytes(), taskMax());
    if (request.getLength() > bytesMax) {
      return Reply.error(413, "The body is longer than " + bytesMax + " bytes; send it in parts.");
    }
    Fields query = Request.extractQueryParameters(request);
    Map<String, String> trace = new LinkedHashMap<>();
    for (String name : TRACE) {
      String value = headers.get(name);
      if (value != null) {
        trace.put(name, value);
      }
    }
    String criticality = given(headers, query, "criticality", "Sluice-Criticality");
    if (criticality != null) {
      if (!CRITICALITIES.contains(criticality)) {
        return Reply.error(
            400, "The criticality is '" + criticality + "'; it is critical or sheddable.");
      }
      trace.put("sluice-criticality", criticality);
    }
    for (Mark mark : MARKS) {
      String text = given(headers, query, mark.parameter(), mark.header());
      if (text != null) {
        if (!mark.form().matcher(text).matches()) {
          return Reply.error(
              400,
              "The " + mark.parameter() + " is '" + text + "'; it is " + mark.accepted() + ".");
        }
        trace.put(mark.taskHeader(), text);
      }
    }
    for (Moment moment : MOMENTS) {
      String text = given(headers, query, moment.parameter(), moment.header());
      if (text != null) {
        OptionalLong millis = fromNow(text);
        if (millis.isEmpty()) {
          return Reply.error(
              400,
              "The "
                  + moment.parameter()
                  + " is '"
                  + text
                  + "'; write so long from now, as 30s, or a time, as 2026-11-20T08:00:00Z.");
        }
        trace.put(moment.taskHeader(), Long.toString(millis.getAsLong()));
      }
    }
    String type = given(headers, query, "type", "Sluice-Type", "ce-type");
    String id = given(headers, query, "id", "Sluice-Id", "ce-id");
    String keyField = given(headers, query, "key-field", "Sluice-Key-Field");
    if (lines && id != null) {
      return Reply.error(400, "An id is for one task; lines cannot share it.");
    }
    TaskIntake.Shape shape =
        new TaskIntake.Shape(
            queue,
            type == null ? defaultType : type,
            given(headers, query, "key", "Sluice-Key"),
            keyField,
            id,
            trace);
    RequestBody body =
        new RequestBody(
            Request.asInputStream(request), bytesMax, clock, settings.limits().request().toNanos());
    TaskIntake intake = new TaskIntake(producer, settings.limits(), body, shape);
    return lines ? intake.lines() : intake.one();
  }

  private OptionalLong fromNow(String text) {
    try {
      return OptionalLong.of(Instant.parse(text).toEpochMilli());
    } catch (DateTimeParseException e) {
      // No time: then so long from now.
    }
    try {
      long millis = Quantities.duration(text).toMillis();
      return OptionalLong.of(Math.addExact(clock.epochMillis(), millis));
    } catch (ConfigException | ArithmeticException e) {
      return OptionalLong.empty();
    }
  }

  private long taskMax() {
    return settings.limits().taskBytes();
  }

  /** A query parameter, or the first of the headers; an empty one is none. */
  private static @Nullable String given(
      HttpFields headers, Fields query, String parameter, String... names) {
    String value = query.getValue(parameter);
    for (int i = 0; value == null && i < names.length; i++) {
      value = headers.get(names[i]);
    }
    return value == null || value.isBlank() ? null : value.trim();
  }

  private static String mediaType(@Nullable String contentType) {
    if (contentType == null) {
      return "";
    }
    String[] parts = contentType.toLowerCase(Locale.ROOT).split(";", 2);
    boolean utf8 =
        parts.length == 1
            || parts[1].replace("\"", "").replace(" ", "").matches("(charset=utf-?8)?");
    return utf8 ? parts[0].trim() : "";
  }

  private static boolean isLocal(@Nullable String name) {
    return name != null && LOCAL_NAMES.contains(name.toLowerCase(Locale.ROOT));
  }

  private boolean authorized(HttpFields headers) {
    byte[] wanted = token;
    if (wanted == null) {
      return true;
    }
    String header = headers.get(HttpHeader.AUTHORIZATION);
    if (header == null || !header.regionMatches(true, 0, "Bearer ", 0, 7)) {
      return false;
    }
    return MessageDigest.isEqual(wanted, header.substring(7).trim().getBytes(UTF_8));
  }

  private static void send(Request request, Response response, Callback callback, Reply reply)
      throws IOException {
    response.setStatus(reply.status());
    HttpFields.Mutable headers = response.getHeaders();
    headers.put(HttpHeader.CONTENT_TYPE, "application/json");
    headers.put(HttpHeader.CACHE_CONTROL, "no-store");
    headers.put(new HttpField("X-Content-Type-Options", "nosniff"));
    if (reply.retryAfterSeconds() > 0) {
      headers.put(HttpHeader.RETRY_AFTER, Long.toString(reply.retryAfterSeconds()));
    }
    if (reply.status() >= 400 && (request.getLength() < 0 || request.getLength() > SHORT_BODY)) {
      // What is left of the body is not read: the connection cannot be used again.
      headers.put(HttpHeader.CONNECTION, "close");
    }
    byte[] body = JSON.writeValueAsBytes(reply.body());
    response.write(true, ByteBuffer.wrap(body), callback);
  }
}
