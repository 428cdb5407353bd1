// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.http;

import dev.sluice.ConfigException;
import java.time.Duration;

/**
 * What one request, and all of them together, may take.
 *
 * @param connections open at once; more wait to be accepted; 1 to 10,000, default 256
 * @param threads that work on requests; 8 to 1,000, default 64
 * @param headerBytes of one request; 1,024 to 65,536, default 8,192
 * @param bodyBytes of one request; 1 to 1 GiB, default 32 MiB
 * @param taskBytes of one task; 1 to 1 GiB, default 1 MiB
 * @param lines of one request; 1 to 1,000,000, default 10,000
 * @param idle how long a connection may be silent; 100 ms to 10 min, default 30 s
 * @param request how long one request may take, its body and the acknowledgements included; 100 ms
 *     to 10 min, default 60 s
 * @param room how long a task may wait for room before 429; 0 to 10 min, default 1 s
 */
public record GatewayLimits(
    int connections,
    int threads,
    int headerBytes,
    long bodyBytes,
    int taskBytes,
    int lines,
    Duration idle,
    Duration request,
    Duration room) {
  private static final Duration TIME_MIN = Duration.ofMillis(100);
  private static final Duration TIME_MAX = Duration.ofMinutes(10);

  /** All defaults. */
  public static final GatewayLimits DEFAULT =
      new GatewayLimits(
          256,
          64,
          8_192,
          32L << 20,
          1 << 20,
          10_000,
          Duration.ofSeconds(30),
          Duration.ofSeconds(60),
          Duration.ofSeconds(1));

  public GatewayLimits {
    check("connections", connections, 1, 10_000);
    check("threads", threads, 8, 1_000);
    check("header bytes", headerBytes, 1_024, 65_536);
    check("body bytes", bodyBytes, 1, 1 << 30);
    check("task bytes", taskBytes, 1, 1 << 30);
    check("lines", lines, 1, 1_000_000);
    check("idle time", idle, TIME_MIN);
    check("request time", request, TIME_MIN);
    check("wait for room", room, Duration.ZERO);
  }

  private static void check(String name, long value, long least, long most) {
    if (value < least || value > most) {
      throw new ConfigException(
          "The gateway's "
              + name
              + " are "
              + value
              + ", outside of "
              + least
              + " to "
              + most
              + ".");
    }
  }

  private static void check(String name, Duration value, Duration least) {
    if (value.compareTo(least) < 0 || value.compareTo(TIME_MAX) > 0) {
      throw new ConfigException(
          "The gateway's "
              + name
              + " is "
              + value.toMillis()
              + " ms, outside of "
              + least.toMillis()
              + " to "
              + TIME_MAX.toMillis()
              + " ms.");
    }
  }
}
