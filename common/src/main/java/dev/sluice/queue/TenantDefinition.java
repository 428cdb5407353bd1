// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What one tenant of a queue may have. Immutable.
 *
 * @param weight its part of the starts while others wait, in proportion to theirs; 1 to 1,000
 * @param rate the most starts per second in one worker, with a burst of a tenth of a second; 0.001
 *     to 1,000,000; none if empty
 * @param concurrency the most tasks that run at once in one worker; 1 to 10,000; none if empty
 */
public record TenantDefinition(int weight, OptionalDouble rate, OptionalInt concurrency) {
  /** As much as every other one, and no limit of its own. */
  public static final TenantDefinition DEFAULT =
      new TenantDefinition(1, OptionalDouble.empty(), OptionalInt.empty());

  public TenantDefinition {
    Ranges.check("weight", weight, 1, 1_000);
    rate.ifPresent(r -> Ranges.check("rate", r, 0.001, 1_000_000.0));
    concurrency.ifPresent(c -> Ranges.check("concurrency", c, 1, 10_000));
  }

  /** The same with another weight. */
  public TenantDefinition withWeight(int other) {
    return new TenantDefinition(other, rate, concurrency);
  }

  /** The same with a rate. */
  public TenantDefinition withRate(double perSecond) {
    return new TenantDefinition(weight, OptionalDouble.of(perSecond), concurrency);
  }

  /** The same with a concurrency. */
  public TenantDefinition withConcurrency(int tasks) {
    return new TenantDefinition(weight, rate, OptionalInt.of(tasks));
  }
}
