// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.cli;

import dev.sluice.ConfigException;
import dev.sluice.producer.http.GatewayLimits;
import dev.sluice.producer.http.GatewaySettings;
import dev.sluice.producer.http.GatewayTls;
import dev.sluice.queue.Quantities;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The HTTP gateway, as flags. */
final class HttpOptions {
  private static final long SECRET_BYTES_MAX = 65_536;

  @Option(
      names = "--http",
      paramLabel = "PORT",
      description = "Take tasks by POST /queues/{queue}/tasks there; 0 takes a free port.")
  @Nullable Integer port;

  @Option(
      names = "--http-bind",
      paramLabel = "ADDRESS",
      description = "Address of the gateway. Default: 127.0.0.1. Others need a token or TLS.")
  private String bind = "127.0.0.1";

  @Option(
      names = "--http-token-file",
      paramLabel = "FILE",
      description = "Holds the bearer token that clients must send.")
  private @Nullable Path tokenFile;

  @Option(
      names = "--http-keystore",
      paramLabel = "FILE",
      description = "Key and certificate for TLS, PKCS#12 or JKS.")
  private @Nullable Path keyStore;

  @Option(
      names = "--http-truststore",
      paramLabel = "FILE",
      description = "Whose client certificates are let in; then every client needs one.")
  private @Nullable Path trustStore;

  @Option(
      names = "--http-store-password-file",
      paramLabel = "FILE",
      description = "Holds the password of both stores.")
  private @Nullable Path passwordFile;

  @Option(
      names = "--http-connections",
      paramLabel = "N",
      description = "Connections at once. Default: 256.")
  private int connections = GatewayLimits.DEFAULT.connections();

  @Option(
      names = "--http-max-header",
      paramLabel = "B",
      description = "Bytes of a request's headers. Default: 8KiB.")
  private String headerBytes = "8KiB";

  @Option(
      names = "--http-max-body",
      paramLabel = "B",
      description = "Bytes of a request. Default: 32MiB.")
  private String bodyBytes = "32MiB";

  @Option(
      names = "--http-max-lines",
      paramLabel = "N",
      description = "Lines of a request. Default: 10000.")
  private int lines = GatewayLimits.DEFAULT.lines();

  @Option(
      names = "--http-idle",
      paramLabel = "D",
      description = "How long a connection may be silent. Default: 30s.")
  private String idle = "30s";

  @Option(
      names = "--http-timeout",
      paramLabel = "D",
      description = "How long one request may take. Default: 60s.")
  private String timeout = "60s";

  GatewaySettings settings(
      int httpPort, Map<String, String> defaultTypes, int taskBytes, java.time.Duration room) {
    GatewayLimits limits =
        new GatewayLimits(
            connections,
            GatewayLimits.DEFAULT.threads(),
            Math.toIntExact(Math.min(Integer.MAX_VALUE, Quantities.bytes(headerBytes))),
            Quantities.bytes(bodyBytes),
            taskBytes,
            lines,
            Quantities.duration(idle),
            Quantities.duration(timeout),
            room);
    String token = tokenFile == null ? null : secret("--http-token-file", tokenFile);
    return new GatewaySettings(bind, httpPort, defaultTypes, token, tls(), limits);
  }

  private @Nullable GatewayTls tls() {
    Path store = keyStore;
    if (store == null) {
      if (trustStore != null || passwordFile != null) {
        throw new ConfigException(
            "--http-truststore and --http-store-password-file need --http-keystore.");
      }
      return null;
    }
    if (passwordFile == null) {
      throw new ConfigException("--http-keystore needs --http-store-password-file.");
    }
    return new GatewayTls(store, secret("--http-store-password-file", passwordFile), trustStore);
  }

  private static String secret(String option, Path file) {
    try {
      if (Files.size(file) > SECRET_BYTES_MAX) {
        throw new ConfigException(option + " " + file + " is too large to hold a secret.");
      }
      return Files.readString(file).trim();
    } catch (IOException e) {
      throw new ConfigException(option + " " + file + " cannot be read: " + e.getMessage(), e);
    }
  }
}
