// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Does one thing to several brokers at the same time, since they may wait for each other. */
final class AllAtOnce {
  /** How long those that were told to give up may still take. */
  private static final int GIVE_UP_SECONDS = 10;

  private AllAtOnce() {}

  /**
   * Does it to each broker in a thread of its own, and waits for all of them. When one fails, when
   * the time is up or when the caller is interrupted, the others are interrupted and get 10 s more.
   *
   * @param what a verb, for the text of an error and the names of the threads
   * @throws LocalKafkaException if one fails, if it takes longer, or if the caller is interrupted
   */
  static <T> void run(String what, List<T> brokers, Consumer<T> action, int seconds) {
    if (brokers.isEmpty()) {
      return;
    }
    CompletableFuture<Void> all = new CompletableFuture<>();
    AtomicInteger missing = new AtomicInteger(brokers.size());
    List<Thread> threads = new ArrayList<>();
    for (T broker : brokers) {
      Runnable one =
          () -> {
            try {
              action.accept(broker);
              if (missing.decrementAndGet() == 0) {
                all.complete(null);
              }
            } catch (Throwable e) { // an Error too must reach the one who waits
              all.completeExceptionally(e);
            }
          };
      Thread thread = new Thread(one, "sluice-" + what + "-broker");
      thread.setDaemon(true);
      thread.start();
      threads.add(thread);
    }
    try {
      all.get(seconds, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof LocalKafkaException known
          ? known
          : new LocalKafkaException("A broker did not " + what + ": " + e.getCause(), e.getCause());
    } catch (TimeoutException e) {
      throw new LocalKafkaException(
          "A broker did not " + what + " within " + seconds + " s; its log may say why.", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LocalKafkaException("Interrupted before all brokers did " + what, e);
    } finally {
      giveUp(threads);
    }
  }

  /**
   * What is still under way must not go on behind the back of the one who stops or deletes next.
   */
  private static void giveUp(List<Thread> threads) {
    threads.forEach(Thread::interrupt);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(GIVE_UP_SECONDS);
    Uninterrupted.run(
        () -> {
          for (Thread thread : threads) {
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            // join(0) would wait for ever.
            thread.join(Math.max(1, left));
          }
        });
  }
}
