// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.cli;

import dev.sluice.ConfigException;
import dev.sluice.console.dead.DeadLetterFilter;
import dev.sluice.queue.Quantities;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which dead letters are meant. */
final class LetterOptions {
  @Option(names = "--type", paramLabel = "T", description = "Tasks of this type.")
  private @Nullable String type;

  @Option(
      names = "--error",
      paramLabel = "CLASS",
      description = "That failed with this class, with its package or without.")
  private @Nullable String error;

  @Option(names = "--key", paramLabel = "K", description = "With this ordering key.")
  private @Nullable String key;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      description = "That failed at this time or later: 2h for two hours ago, or ISO-8601.")
  private @Nullable String since;

  @Option(names = "--until", paramLabel = "TIME", description = "That failed before this time.")
  private @Nullable String until;

  @Option(
      names = "--attempts",
      paramLabel = "N",
      defaultValue = "0",
      description = "After at least so many attempts.")
  private int attempts;

  DeadLetterFilter filter(long nowMillis) {
    return new DeadLetterFilter(
        Optional.ofNullable(type),
        Optional.ofNullable(error),
        Optional.ofNullable(key),
        since == null ? Long.MIN_VALUE : millis("--since", since, nowMillis),
        until == null ? Long.MAX_VALUE : millis("--until", until, nowMillis),
        attempts,
        Optional.empty());
  }

  private static long millis(String option, String text, long nowMillis) {
    try {
      return Instant.parse(text).toEpochMilli();
    } catch (DateTimeParseException e) {
      // No instant: then so long ago.
    }
    try {
      return nowMillis - Quantities.duration(text).toMillis();
    } catch (ConfigException e) {
      throw new ConfigException(
          option
              + " is '"
              + text
              + "', which is no time; write for example 2h (ago) or 2026-11-20T08:00:00Z",
          e);
    }
  }
}
