// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sluice.BackpressureException;
import dev.sluice.ConfigException;
import dev.sluice.PermanentTaskException;
import dev.sluice.RetriableTaskException;
import dev.sluice.SnoozeException;
import dev.sluice.Task;
import dev.sluice.time.Clock;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HttpHandlerTest {
  private record Received(String path, Headers headers, byte[] body) {}

  private interface Answer {
    void to(HttpExchange exchange) throws IOException, InterruptedException;
  }

  private final BlockingQueue<Received> received = new ArrayBlockingQueue<>(10);
  private final CountDownLatch end = new CountDownLatch(1);
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(2, 2, 1, TimeUnit.SECONDS, new ArrayBlockingQueue<>(10));
  private volatile Answer answer = status(200, "");
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
    server.setExecutor(threads);
    server.createContext(
        "/",
        exchange -> {
          received.add(
              new Received(
                  exchange.getRequestURI().getPath(),
                  exchange.getRequestHeaders(),
                  exchange.getRequestBody().readAllBytes()));
          try (exchange) {
            answer.to(exchange);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    server.start();
  }

  @AfterEach
  void stop() {
    end.countDown();
    server.stop(0);
    threads.shutdownNow();
  }

  private static Answer status(int status, String body, String... headers) {
    return exchange -> {
      for (int i = 0; i < headers.length; i += 2) {
        exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
      }
      byte[] bytes = body.getBytes(UTF_8);
      exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
    };
  }

  private String url(String rest) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + rest;
  }

  private void post(Task<byte[]> task) throws InterruptedException {
    try (HttpHandler handler = new HttpHandler(url("/hook?secret=s3"), SystemClock.INSTANCE)) {
      handler.handle(task, FakeContext.FIRST);
    }
  }

  private static Task<byte[]> task() {
    return Task.of("orders", "created", "{\"n\":1}".getBytes(UTF_8)).id("orders/3/42");
  }

  @Test
  void aBodyIsTheResultWhereOneWasAskedFor() throws InterruptedException {
    answer = status(200, "{\"total\":3}", "Content-Type", "application/json; charset=utf-8");
    FakeContext context = new FakeContext(1);
    try (HttpHandler handler = new HttpHandler(url("/"), SystemClock.INSTANCE)) {
      handler.handle(task(), context);
      assertThat(context.given().get()).isNull();
      handler.handle(task().withResult(), context);
      assertThat(context.given().get()).hasToString("{\"total\":3}");
    }
  }

  @Test
  void anAnswerInOurFormSaysWhatLinesCanSay() {
    answer =
        status(
            200,
            "{\"outcome\":\"snooze\",\"delay\":\"1m\",\"message\":\"not yet\"}",
            "Content-Type",
            "application/vnd.sluice.answer+json");
    assertThatThrownBy(() -> post(task()))
        .isInstanceOfSatisfying(
            SnoozeException.class, e -> assertThat(e.delay()).isEqualTo(Duration.ofMinutes(1)));
  }

  @Test
  void postsThePayloadAsACloudEventWithItsIdAsIdempotencyKey() throws InterruptedException {
    post(
        task()
            .header("content-type", "text/csv")
            .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            .header("sluice-attempt", "3"));

    Received request = received.take();
    assertThat(request.path()).isEqualTo("/hook");
    assertThat(request.body()).asString(UTF_8).isEqualTo("{\"n\":1}");
    assertThat(request.headers().getFirst("Content-Type")).isEqualTo("text/csv");
    assertThat(request.headers().getFirst("ce-specversion")).isEqualTo("1.0");
    assertThat(request.headers().getFirst("ce-id")).isEqualTo("orders/3/42");
    assertThat(request.headers().getFirst("ce-type")).isEqualTo("created");
    assertThat(request.headers().getFirst("Idempotency-Key")).isEqualTo("orders/3/42");
    assertThat(request.headers().getFirst("traceparent")).startsWith("00-0af765");
    assertThat(request.headers().containsKey("sluice-attempt")).isFalse();
    assertThat(request.headers().containsKey("Upgrade")).as("plain HTTP/1.1").isFalse();
  }

  @Test
  void keepsDifferentIdsDifferentWhateverTheyHold() throws InterruptedException {
    post(task().id("é 1\r\nX: y").header("content-type", "bad\r\nX-Evil: 1"));

    Received request = received.take();
    assertThat(request.headers().getFirst("ce-id")).isEqualTo("%C3%A9%201%0D%0AX:%20y");
    assertThat(request.headers().getFirst("Content-Type")).isEqualTo("application/octet-stream");
    assertThat(request.headers().containsKey("X-Evil")).isFalse();
  }

  @Test
  void sendsUserAndPasswordOfTheUrlAndShowsThemNowhere() throws InterruptedException {
    answer = status(404, "gone");
    try (HttpHandler handler =
        new HttpHandler(
            url("/hook?token=t0ken").replace("http://", "http://ada:s3cret@"),
            SystemClock.INSTANCE)) {
      assertThatThrownBy(() -> handler.handle(task(), FakeContext.FIRST))
          .isInstanceOf(PermanentTaskException.class)
          .hasMessage("POST " + url("/hook") + " answered 404: gone");
    }

    assertThat(received.take().headers().getFirst("Authorization"))
        .isEqualTo("Basic YWRhOnMzY3JldA==");
  }

  @Test
  void completesOnAnyAnswerOfSuccess() throws InterruptedException {
    for (int code : new int[] {200, 201, 202, 204}) {
      answer = status(code, "");
      post(task());
    }
    assertThat(received).hasSize(4);
  }

  @Test
  void takesTooManyRequestsForBackpressure() {
    answer = status(429, "slow down", "Retry-After", "7");
    assertThatThrownBy(() -> post(task()))
        .isInstanceOfSatisfying(
            BackpressureException.class,
            e -> assertThat(e.retryAfter()).isEqualTo(Duration.ofSeconds(7)))
        .hasMessageContaining("429: slow down");

    answer = status(429, "");
    assertThatThrownBy(() -> post(task())).isInstanceOf(BackpressureException.class);

    answer = status(503, "", "Retry-After", "2");
    assertThatThrownBy(() -> post(task())).isInstanceOf(BackpressureException.class);
  }

  @Test
  void triesAgainAfterErrorsOfTheServer() {
    for (int code : new int[] {408, 500, 502, 503}) {
      answer = status(code, "");
      assertThatThrownBy(() -> post(task())).isInstanceOf(RetriableTaskException.class);
    }
  }

  @Test
  void givesUpOnOtherAnswersAndFollowsNoRedirect() {
    for (int code : new int[] {400, 401, 404, 413, 422}) {
      answer = status(code, "");
      assertThatThrownBy(() -> post(task())).isInstanceOf(PermanentTaskException.class);
    }
    received.clear();

    answer = status(302, "", "Location", url("/elsewhere"));
    assertThatThrownBy(() -> post(task())).isInstanceOf(PermanentTaskException.class);
    assertThat(received).hasSize(1);
  }

  @Test
  void triesAgainWhenNobodyListens() throws IOException {
    int free;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      free = socket.getLocalPort();
    }
    try (HttpHandler handler =
        new HttpHandler("http://127.0.0.1:" + free + "/", SystemClock.INSTANCE)) {
      assertThatThrownBy(() -> handler.handle(task(), FakeContext.FIRST))
          .isInstanceOf(RetriableTaskException.class)
          .hasMessageContaining("127.0.0.1:" + free);
    }
  }

  @Test
  void readsOnlyTheBeginningOfAnEndlessAnswer() throws InterruptedException {
    answer =
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          byte[] block = new byte[8 << 10];
          try {
            while (end.getCount() > 0) {
              exchange.getResponseBody().write(block);
            }
          } catch (IOException e) {
            end.countDown(); // the client has closed the connection
          }
        };

    post(task());

    assertThat(end.await(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void isInterruptedWhileTheServerThinks() {
    assertInterruptible(exchange -> end.await());
  }

  @Test
  void isInterruptedWhileTheServerIsSlowWithItsBody() {
    assertInterruptible(
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          exchange.getResponseBody().write('x');
          exchange.getResponseBody().flush();
          end.await();
        });
  }

  private void assertInterruptible(Answer slow) {
    answer = slow;
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                post(task());
              } catch (Throwable t) {
                thrown.set(t);
              }
            });
    thread.start();
    Awaitility.await().until(() -> !received.isEmpty());
    thread.interrupt();

    Awaitility.await().until(() -> !thread.isAlive());
    assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
  }

  @Test
  void leavesNoThreadBehindWhenClosed() throws InterruptedException {
    post(task());

    Awaitility.await()
        .untilAsserted(
            () ->
                assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .noneMatch(name -> name.startsWith("sluice-http")));
  }

  @Test
  void refusesWhatIsNoHttpUrl() {
    for (String url : new String[] {"", "ftp://host/x", "http:///x", "http://a b/", "localhost"}) {
      assertThatThrownBy(() -> new HttpHandler(url, SystemClock.INSTANCE))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("'" + url + "'");
    }
  }

  @Test
  void countsADateOfRetryAfterFromItsClock() {
    answer = status(429, "", "Retry-After", "Thu, 01 Jan 1970 00:00:30 GMT");
    Clock clock =
        new Clock() {
          @Override
          public long nanos() {
            return 0;
          }

          @Override
          public long epochMillis() {
            return 10_000;
          }
        };
    try (HttpHandler handler = new HttpHandler(url("/"), clock)) {
      assertThatThrownBy(() -> handler.handle(task(), FakeContext.FIRST))
          .isInstanceOfSatisfying(
              BackpressureException.class,
              e -> assertThat(e.retryAfter()).isEqualTo(Duration.ofSeconds(20)));
    }
  }
}
