// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.ConfigException;
import dev.sluice.producer.TaskProducer;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class GatewayTlsIT {
  private static final String PASSWORD = "only-for-this-test";

  @TempDir private Path folder;

  @Test
  void onlyClientsWithACertificateThatIsTrustedGetIn() throws Exception {
    Path server = folder.resolve("server.p12");
    Path client = folder.resolve("client.p12");
    Path trust = folder.resolve("trust.p12");
    pair(server, "CN=localhost");
    pair(client, "CN=client");
    Path certificate = folder.resolve("client.crt");
    keytool("-exportcert", "-keystore", client, "-alias", "key", "-file", certificate);
    keytool("-importcert", "-noprompt", "-keystore", trust, "-alias", "c", "-file", certificate);
    GatewaySettings settings =
        new GatewaySettings(
            "0.0.0.0",
            0,
            Map.of("q", "t"),
            null,
            new GatewayTls(server, PASSWORD, trust),
            GatewayLimits.DEFAULT);

    try (TaskProducer producer = TaskProducer.connect("127.0.0.1:1");
        HttpGateway gateway = new HttpGateway(producer, settings, SystemClock.INSTANCE)) {
      HttpRequest request =
          HttpRequest.newBuilder(
                  URI.create("https://localhost:" + gateway.port() + "/queues/q/tasks"))
              .GET()
              .build();
      assertThat(
              client(server, client)
                  .send(request, HttpResponse.BodyHandlers.ofString())
                  .statusCode())
          .isEqualTo(405);
      assertThatThrownBy(
              () -> client(server, null).send(request, HttpResponse.BodyHandlers.ofString()))
          .isInstanceOf(IOException.class);
      assertThatThrownBy(
              () -> client(server, server).send(request, HttpResponse.BodyHandlers.ofString()))
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void aKeyStoreThatCannotBeReadIsNamed() {
    GatewaySettings settings =
        new GatewaySettings(
            "127.0.0.1",
            0,
            Map.of("q", "t"),
            null,
            new GatewayTls(folder.resolve("missing.p12"), PASSWORD, null),
            GatewayLimits.DEFAULT);
    try (TaskProducer producer = TaskProducer.connect("127.0.0.1:1")) {
      assertThatThrownBy(() -> new HttpGateway(producer, settings, SystemClock.INSTANCE))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("missing.p12");
    }
  }

  private static HttpClient client(Path trusted, Path own) throws Exception {
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(load(trusted));
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(own == null ? null : load(own), PASSWORD.toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(context).build();
  }

  private static KeyStore load(Path file) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, PASSWORD.toCharArray());
    }
    return store;
  }

  private static void pair(Path store, String name) throws Exception {
    keytool(
        "-genkeypair",
        "-keystore",
        store,
        "-alias",
        "key",
        "-keyalg",
        "EC",
        "-dname",
        name,
        "-ext",
        "san=dns:localhost",
        "-validity",
        "2");
  }

  private static void keytool(Object... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    command.addAll(List.of("-storetype", "PKCS12", "-storepass", PASSWORD));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(said).isZero();
  }
}
