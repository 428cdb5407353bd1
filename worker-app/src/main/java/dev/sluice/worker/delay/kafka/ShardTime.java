// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.delay.kafka;

import org.jspecify.annotations.Nullable;

/** The time up to which a shard was served, as commit metadata. */
final class ShardTime {
  private static final String PREFIX = "sluice-delay:1:";

  private ShardTime() {}

  static String write(long epochMillis) {
    return PREFIX + epochMillis;
  }

  /** What somebody else wrote says nothing: then the own clock decides. */
  static long read(@Nullable String metadata) {
    if (metadata == null || !metadata.startsWith(PREFIX)) {
      return Long.MIN_VALUE;
    }
    try {
      return Long.parseLong(metadata.substring(PREFIX.length()));
    } catch (NumberFormatException e) {
      return Long.MIN_VALUE;
    }
  }
}
