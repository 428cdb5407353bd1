// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import dev.sluice.ConfigException;
import java.time.Duration;
import java.util.Optional;

/**
 * How much producers may have in a queue. Immutable.
 *
 * @param tasks that are waiting or running, at most; 0 for no bound, else up to 1,000,000,000,000
 * @param targetDelay how long tasks should wait; producers are slowed down to keep it; 100 ms to 1
 *     h
 */
public record CapacityDefinition(long tasks, Optional<Duration> targetDelay) {
  /** No bound. */
  public static final CapacityDefinition NONE = new CapacityDefinition(0, Optional.empty());

  public CapacityDefinition {
    Ranges.check("capacity", tasks, 0L, 1_000_000_000_000L);
    targetDelay.ifPresent(
        delay -> Ranges.check("targetDelay", delay, Duration.ofMillis(100), Duration.ofHours(1)));
    if (tasks == 0 && targetDelay.isPresent()) {
      throw new ConfigException(
          "targetDelay is " + targetDelay.get() + ", but capacity is not set; set both");
    }
  }
}
