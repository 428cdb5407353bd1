// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.ConfigException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HealthServerTest {
  private static final String PAUSED =
      "{\"partitions\":[{\"partition\":3,\"paused\":[{\"reason\":\"LANE_FULL\"}]}]}";

  private static final class State implements HealthServer.Source {
    volatile boolean live = true;
    volatile boolean ready = true;
    volatile boolean broken;

    @Override
    public boolean live() {
      return live;
    }

    @Override
    public boolean ready() {
      return ready;
    }

    @Override
    public String json() {
      if (broken) {
        throw new IllegalStateException("no snapshot");
      }
      return PAUSED;
    }

    @Override
    public String metrics() {
      return "sluice_worker_running 4.0\n";
    }
  }

  private final State state = new State();
  private final HealthServer server = new HealthServer("127.0.0.1", 0, state, 500);
  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void close() {
    server.close();
  }

  private HttpResponse<String> ask(String method, String path)
      throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
            .timeout(Duration.ofSeconds(30))
            .method(method, HttpRequest.BodyPublishers.noBody())
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private int status(String path) throws IOException, InterruptedException {
    return ask("GET", path).statusCode();
  }

  @Test
  void isWellAndNamesTheReasonsWhileAllPartitionsArePaused() throws Exception {
    for (String path : List.of("/livez", "/readyz", "/startupz")) {
      HttpResponse<String> answer = ask("GET", path);
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/json");
      assertThat(answer.body()).isEqualTo(PAUSED);
    }
  }

  @Test
  void tellsAliveFromReady() throws Exception {
    state.ready = false;
    assertThat(status("/livez")).isEqualTo(200);
    assertThat(status("/readyz")).isEqualTo(503);

    state.live = false;
    state.ready = true;
    assertThat(ask("GET", "/livez").statusCode()).isEqualTo(503);
    assertThat(ask("GET", "/livez").body()).isEqualTo(PAUSED);
    assertThat(status("/readyz")).isEqualTo(200);
  }

  @Test
  void hasStartedOnceItWasReady() throws Exception {
    state.ready = false;
    assertThat(status("/startupz")).isEqualTo(503);

    state.ready = true;
    assertThat(status("/startupz")).isEqualTo(200);

    state.ready = false;
    assertThat(status("/startupz")).isEqualTo(200);
    assertThat(status("/readyz")).isEqualTo(503);
  }

  @Test
  void servesMetricsAsText() throws Exception {
    HttpResponse<String> answer = ask("GET", "/metrics");

    assertThat(answer.body()).isEqualTo("sluice_worker_running 4.0\n");
    assertThat(answer.headers().firstValue("Content-Type").orElseThrow())
        .startsWith("text/plain; version=0.0.4");
  }

  @Test
  void answersOnlyReadingRequestsToItsOwnPaths() throws Exception {
    assertThat(ask("HEAD", "/livez").statusCode()).isEqualTo(200);
    assertThat(ask("HEAD", "/livez").body()).isEmpty();
    HttpResponse<String> posted = ask("POST", "/livez");
    assertThat(posted.statusCode()).isEqualTo(405);
    assertThat(posted.headers().firstValue("Allow")).hasValue("GET, HEAD");
    assertThat(status("/")).isEqualTo(404);
    assertThat(status("/livez/x")).isEqualTo(404);
  }

  @Test
  void saysThatItCannotTell() throws Exception {
    state.broken = true;

    HttpResponse<String> answer = ask("GET", "/livez");

    assertThat(answer.statusCode()).isEqualTo(500);
    assertThat(answer.body()).contains("no snapshot");
  }

  @Test
  void answersProbesAlthoughManyClientsConnectAndSayLittle() throws Exception {
    List<Socket> silent = new ArrayList<>();
    try {
      for (int i = 0; i < 10; i++) {
        Socket socket = new Socket(InetAddress.getByName("127.0.0.1"), server.port());
        socket.getOutputStream().write("GET /livez HT".getBytes("US-ASCII"));
        silent.add(socket);
      }

      assertThat(status("/livez")).isEqualTo(200);
    } finally {
      for (Socket socket : silent) {
        socket.close();
      }
    }
  }

  @Test
  void leavesNoThreadBehindWhenClosedTwice() throws Exception {
    assertThat(status("/livez")).isEqualTo(200);

    server.close();
    server.close();

    Awaitility.await()
        .untilAsserted(
            () ->
                assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .doesNotContain("sluice-health"));
  }

  @Test
  void saysWhichPortOrAddressCannotBeUsed() {
    assertThatThrownBy(() -> new HealthServer("127.0.0.1", server.port(), state))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("127.0.0.1:" + server.port())
        .hasMessageContaining("--metrics-port");
    assertThatThrownBy(() -> new HealthServer("no.such.host.invalid", 0, state))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("no.such.host.invalid");
    assertThatThrownBy(() -> new HealthServer("127.0.0.1", 70_000, state))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("70000");
  }
}
