// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.net.httpserver.HttpServer;
import dev.sluice.BackpressureException;
import dev.sluice.ConfigException;
import dev.sluice.PermanentTaskException;
import dev.sluice.RetriableTaskException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HttpHandlerTest {
  private final AtomicInteger requests = new AtomicInteger();
  private final AtomicReference<String> seen = new AtomicReference<>();
  private volatile int status;
  private volatile String retryAfter;
  private HttpServer server;

  @BeforeEach
  void serve() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 4);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            requests.incrementAndGet();
            int bytes = exchange.getRequestBody().readAllBytes().length;
            seen.set(
                exchange.getRequestMethod()
                    + " "
                    + bytes
                    + " "
                    + exchange.getRequestHeaders().getFirst("ce-id")
                    + " "
                    + exchange.getRequestHeaders().getFirst("ce-type"));
            if (retryAfter != null) {
              exchange.getResponseHeaders().set("Retry-After", retryAfter);
            }
            if (status / 100 == 3) {
              exchange.getResponseHeaders().set("Location", "/elsewhere");
            }
            exchange.sendResponseHeaders(status, -1);
          }
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void post(int answer, String retry) throws Exception {
    status = answer;
    retryAfter = retry;
    HandlersTest.handler("http://127.0.0.1:" + server.getAddress().getPort() + "/work")
        .handle(HandlersTest.task(new byte[900 << 10]), HandlersTest.CONTEXT);
  }

  @Test
  void twoHundredCompletesTheTask() throws Exception {
    post(200, null);
    post(204, null);
    assertThat(seen.get()).isEqualTo("POST " + (900 << 10) + " id-1 type");
  }

  @Test
  void tooManyRequestsIsBackpressureForAsLongAsAsked() {
    assertThatExceptionOfType(BackpressureException.class)
        .isThrownBy(() -> post(429, "7"))
        .satisfies(e -> assertThat(e.retryAfter()).isEqualTo(Duration.ofSeconds(7)));
    assertThatExceptionOfType(BackpressureException.class)
        .isThrownBy(() -> post(429, null))
        .satisfies(e -> assertThat(e.retryAfter()).isEqualTo(Duration.ofSeconds(1)));
    assertThatExceptionOfType(BackpressureException.class)
        .isThrownBy(() -> post(503, "Wed, 21 Oct 2015 07:28:00 GMT"))
        .satisfies(e -> assertThat(e.retryAfter()).isEqualTo(Duration.ofMillis(1)));
  }

  @Test
  void serverErrorsAreFailedAttempts() {
    assertThatExceptionOfType(RetriableTaskException.class).isThrownBy(() -> post(500, null));
    assertThatExceptionOfType(RetriableTaskException.class).isThrownBy(() -> post(503, null));
  }

  @Test
  void otherAnswersAreDeadLettersAndNoRedirectIsFollowed() {
    assertThatExceptionOfType(PermanentTaskException.class)
        .isThrownBy(() -> post(404, null))
        .withMessageContaining("404");
    assertThatExceptionOfType(PermanentTaskException.class).isThrownBy(() -> post(302, null));
    assertThat(requests).hasValue(2);
  }

  @Test
  void aServerThatIsGoneIsAFailedAttempt() {
    server.stop(0);
    assertThatExceptionOfType(RetriableTaskException.class).isThrownBy(() -> post(200, null));
  }

  @Test
  void retryAfterIsReadInBothFormsAndNeverTrusted() {
    assertThat(HttpHandler.delay(" 5 ")).isEqualTo(Duration.ofSeconds(5));
    assertThat(HttpHandler.delay("99999999999")).isEqualTo(Duration.ofDays(1));
    assertThat(HttpHandler.delay("soon")).isEqualTo(Duration.ofSeconds(1));
    assertThat(HttpHandler.delay("99999999999999999999")).isEqualTo(Duration.ofSeconds(1));
  }

  @Test
  void whatIsNoUrlIsRefused() {
    for (String spec : new String[] {"http:nowhere", "http://", "http:// x", "http:ftp://h/"}) {
      assertThatExceptionOfType(ConfigException.class)
          .isThrownBy(() -> HandlersTest.handler(spec))
          .withMessageContaining("URL");
    }
  }
}
