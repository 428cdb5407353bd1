// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.torture;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.Cancellation;
import dev.sluice.SluiceException;
import dev.sluice.Task;
import dev.sluice.history.HistoryWriter;
import dev.sluice.producer.TaskProducer;
import dev.sluice.systemtests.process.Zipf;
import dev.sluice.time.SystemClock;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Publishes tasks of all kinds into one queue, at a steady rate, some of them delayed and some of
 * those cancelled. One thread; what it counts may be read by any.
 */
final class TortureLoad implements AutoCloseable {
  private static final int KEYS = 300;
  private static final int LONGEST_DELAY_MILLIS = 15_000;
  private static final Duration ANSWER = Duration.ofSeconds(60);

  private record Delayed(String id, Instant due, long cancelAtMillis) {}

  private final String queue;
  private final int perSecond;
  private final SplittableRandom random;
  private final Zipf keys = new Zipf(KEYS, 1.0);
  private final HistoryWriter history;
  private final TaskProducer producer;
  private final Thread thread;
  private final Deque<Delayed> toCancel = new ArrayDeque<>();
  private final Set<String> cancelled = ConcurrentHashMap.newKeySet();
  private final AtomicLong delayed = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private volatile boolean stopping;
  private int number;

  TortureLoad(String brokers, String queue, int perSecond, Path history, long seed) {
    this.queue = queue;
    this.perSecond = perSecond;
    this.random = new SplittableRandom(seed);
    this.history = HistoryWriter.ofProducer(history, SystemClock.INSTANCE);
    this.producer =
        TaskProducer.builder(brokers)
            .history(this.history)
            .kafkaProperty("delivery.timeout.ms", "60000")
            .build();
    this.thread = new Thread(this::run, "torture-load-" + queue);
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    long begun = SystemClock.INSTANCE.nanos();
    long sent = 0;
    while (!stopping) {
      long due = (SystemClock.INSTANCE.nanos() - begun) / 1_000 * perSecond / 1_000_000;
      for (; sent < due && !stopping; sent++) {
        submit();
      }
      cancelSome();
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
    }
  }

  private void submit() {
    String id = queue + "-" + ++number;
    Task<byte[]> task = Task.of(queue, "torture", payload()).id(id).key("key-" + keys.next(random));
    if (random.nextInt(100) < 8) {
      long now = SystemClock.INSTANCE.epochMillis();
      Instant due = Instant.ofEpochMilli(now + 50 + random.nextInt(LONGEST_DELAY_MILLIS));
      task = task.notBefore(due);
      delayed.incrementAndGet();
      if (random.nextInt(10) == 0) {
        toCancel.addLast(new Delayed(id, due, now + random.nextInt(LONGEST_DELAY_MILLIS)));
      }
    }
    try {
      String ignored = producer.submitAsync(task).id();
    } catch (SluiceException e) {
      refused.incrementAndGet(); // it is in the history, too
    }
  }

  private void cancelSome() {
    long now = SystemClock.INSTANCE.epochMillis();
    for (int i = toCancel.size(); i > 0; i--) {
      Delayed each = toCancel.removeFirst();
      if (each.cancelAtMillis() > now) {
        toCancel.addLast(each);
        continue;
      }
      try {
        var ignored =
            producer
                .cancel(each.id(), each.due(), ANSWER)
                .thenAccept(
                    answer -> {
                      if (answer == Cancellation.CANCELLED) {
                        cancelled.add(each.id());
                      }
                    });
      } catch (SluiceException e) {
        // Nobody answers now: it runs, then.
      }
    }
  }

  private byte[] payload() {
    int dice = random.nextInt(10_000);
    String text;
    if (dice < 5) {
      text = "{\"do\":\"hang\"}";
    } else if (dice < 10) {
      text = "{\"do\":\"overflow\"}";
    } else if (dice < 20) {
      text = dice % 2 == 0 ? "{not json" : "";
    } else if (dice < 50) {
      text = "{\"do\":\"fail\"}";
    } else if (dice < 100) {
      text = "{\"do\":\"slow\"}";
    } else if (dice < 300) {
      text = "{\"do\":\"flaky\",\"times\":" + (1 + dice % 2) + "}";
    } else if (dice < 350) {
      text = "{\"do\":\"snooze\",\"millis\":" + (100 + random.nextInt(2_000)) + "}";
    } else if (dice < 360) {
      text = "{\"do\":\"backpressure\"}";
    } else {
      text = "{\"do\":\"work\",\"millis\":" + random.nextInt(3) + "}";
    }
    return text.getBytes(UTF_8);
  }

  /** Ends the load, and waits for the fate of all that was sent. */
  void stop() throws InterruptedException {
    stopping = true;
    thread.join(TimeUnit.SECONDS.toMillis(60));
    boolean ignored = producer.flush(Duration.ofSeconds(90));
  }

  /** Tasks that were answered not to run. */
  Set<String> cancelled() {
    return cancelled;
  }

  long delayed() {
    return delayed.get();
  }

  long refused() {
    return refused.get();
  }

  @Override
  public void close() {
    stopping = true;
    producer.close();
    history.close();
  }
}
