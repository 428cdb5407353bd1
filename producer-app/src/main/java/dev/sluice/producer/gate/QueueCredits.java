// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.gate;

import dev.sluice.queue.PrioritiesDefinition;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The credit of this producer for one queue: for each priority that it has used, one of its own.
 * Thread-safe.
 */
final class QueueCredits {
  private final AtomicReferenceArray<@Nullable QueueCredit> byPriority =
      new AtomicReferenceArray<>(PrioritiesDefinition.LEVELS_MAX);

  /** That of a priority; null if nothing was submitted with it. */
  @Nullable QueueCredit get(int priority) {
    return priority < 0 || priority >= byPriority.length() ? null : byPriority.get(priority);
  }

  /** That of a priority, made if need be. */
  QueueCredit get(int priority, IntFunction<QueueCredit> make) {
    QueueCredit known = byPriority.get(priority);
    if (known != null) {
      return known;
    }
    QueueCredit made = make.apply(priority);
    QueueCredit before = byPriority.compareAndExchange(priority, null, made);
    return before == null ? made : before;
  }

  void each(Consumer<QueueCredit> action) {
    for (int i = 0; i < byPriority.length(); i++) {
      QueueCredit credit = byPriority.get(i);
      if (credit != null) {
        action.accept(credit);
      }
    }
  }
}
