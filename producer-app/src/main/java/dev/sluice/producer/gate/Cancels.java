// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.gate;

import dev.sluice.Cancellation;
import dev.sluice.SluiceException;
import dev.sluice.fleet.CancelWish;
import dev.sluice.fleet.FleetSettings;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Wishes to cancel tasks, until they are answered. Thread-safe. */
public final class Cancels {
  private final Map<String, CompletableFuture<Cancellation>> open = new ConcurrentHashMap<>();

  /**
   * The answer to a wish that is made now.
   *
   * @param timeout after which it is {@link Cancellation#NOT_SEEN}
   * @throws SluiceException if too many wait for an answer already
   */
  public CompletableFuture<Cancellation> expect(String id, Duration timeout) {
    if (open.size() >= CancelWish.MOST) {
      throw new SluiceException(
          "Task " + id + " was not cancelled: " + CancelWish.MOST + " wishes wait for an answer");
    }
    CompletableFuture<Cancellation> answer =
        open.computeIfAbsent(id, i -> new CompletableFuture<>());
    var ignored = answer.whenComplete((told, failure) -> open.remove(id, answer));
    return answer
        .completeOnTimeout(
            Cancellation.NOT_SEEN, Math.max(0, timeout.toMillis()), TimeUnit.MILLISECONDS)
        .copy();
  }

  /** It could not be asked for. */
  public void failed(String id, Throwable why) {
    CompletableFuture<Cancellation> answer = open.get(id);
    if (answer != null) {
      answer.completeExceptionally(why);
    }
  }

  void settings(FleetSettings settings) {
    open.forEach(
        (id, future) -> {
          CancelWish wish = settings.cancels().get(id);
          Optional<Cancellation> answer = wish == null ? Optional.empty() : wish.answer();
          answer.ifPresent(future::complete);
        });
  }
}
