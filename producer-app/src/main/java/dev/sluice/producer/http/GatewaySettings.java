// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.http;

import dev.sluice.ConfigException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the gateway listens, for whom, and what it takes.
 *
 * @param bind the address; anything but loopback needs a token or certificates of clients
 * @param port 0 chooses a free one
 * @param defaultTypes the queues that it serves, each with the type of tasks that name none
 * @param token that clients must send as {@code Authorization: Bearer}, at least 16 characters;
 *     null for none
 * @param tls null for plain HTTP
 * @param limits of requests
 */
public record GatewaySettings(
    String bind,
    int port,
    Map<String, String> defaultTypes,
    @Nullable String token,
    @Nullable GatewayTls tls,
    GatewayLimits limits) {
  private static final int TOKEN_CHARS_MIN = 16;

  /**
   * Checks that nobody is let in by accident.
   *
   * @throws ConfigException if it would listen for strangers
   */
  public GatewaySettings {
    defaultTypes = Map.copyOf(defaultTypes);
    if (port < 0 || port > 65_535) {
      throw new ConfigException("The HTTP port " + port + " is outside of 0 to 65535.");
    }
    if (token != null && token.length() < TOKEN_CHARS_MIN) {
      throw new ConfigException(
          "The bearer token has "
              + token.length()
              + " characters; take one of at least "
              + TOKEN_CHARS_MIN
              + " that cannot be guessed.");
    }
    if (!isLoopback(bind) && token == null && (tls == null || tls.trustStore() == null)) {
      throw new ConfigException(
          "The gateway would listen on "
              + bind
              + " for everybody. Give it a token (--http-token-file), or a key store and a trust"
              + " store for client certificates (--http-keystore, --http-truststore), or bind it"
              + " to 127.0.0.1.");
    }
  }

  /** On loopback at a free port, with all defaults. */
  public static GatewaySettings local(Map<String, String> defaultTypes) {
    return new GatewaySettings("127.0.0.1", 0, defaultTypes, null, null, GatewayLimits.DEFAULT);
  }

  /** Whether only this machine can reach it without naming itself. */
  boolean open() {
    return token == null && (tls == null || tls.trustStore() == null);
  }

  private static boolean isLoopback(String bind) {
    try {
      return InetAddress.getByName(bind).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw new ConfigException("The HTTP address " + bind + " is not known on this machine.", e);
    }
  }

  @Override
  public String toString() {
    return "GatewaySettings[bind="
        + bind
        + ", port="
        + port
        + ", queues="
        + defaultTypes.keySet()
        + "]";
  }
}
