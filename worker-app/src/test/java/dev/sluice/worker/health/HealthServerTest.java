// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.ConfigException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HealthServerTest {
  private volatile boolean live = true;
  private volatile boolean ready = true;
  private final HealthServer server =
      new HealthServer(
          "127.0.0.1",
          0,
          new HealthServer.Source() {
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
              return "{\"é\":1}";
            }

            @Override
            public String metrics() {
              return "";
            }
          });

  @AfterEach
  void close() {
    server.close();
  }

  private HttpResponse<String> call(String method, String path) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build(),
            HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void livenessAndReadinessAreToldApart() throws Exception {
    assertThat(call("GET", "/livez").statusCode()).isEqualTo(200);
    assertThat(call("GET", "/livez").body()).isEqualTo("{\"é\":1}");
    ready = false;
    assertThat(call("GET", "/livez").statusCode()).isEqualTo(200);
    assertThat(call("GET", "/readyz").statusCode()).isEqualTo(503);
    assertThat(call("GET", "/startupz").statusCode()).isEqualTo(503);
    live = false;
    assertThat(call("GET", "/livez").statusCode()).isEqualTo(503);
  }

  @Test
  void onlyWhatIsThereIsServed() throws Exception {
    assertThat(call("GET", "/metrics").statusCode()).isEqualTo(200);
    assertThat(call("HEAD", "/livez").statusCode()).isEqualTo(200);
    assertThat(call("POST", "/livez").statusCode()).isEqualTo(405);
    assertThat(call("GET", "/").statusCode()).isEqualTo(404);
  }

  @Test
  void aPortInUseIsRefusedByItsNumber() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> new HealthServer("127.0.0.1", server.port(), null))
        .withMessageContaining(":" + server.port())
        .withMessageContaining("--metrics-port");
  }
}
