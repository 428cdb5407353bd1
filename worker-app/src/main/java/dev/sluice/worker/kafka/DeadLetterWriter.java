// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.history.HistoryEvent;
import dev.sluice.history.HistoryWriter;
import dev.sluice.time.Clock;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import dev.sluice.worker.thread.Outcome;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes dead letters on a thread of its own, since a send may block for metadata. A task stays in
 * its lane until its dead letter is acknowledged, which bounds what waits here; a failed send is
 * tried again until it succeeds or the worker stops, and the ledger does not move before.
 */
final class DeadLetterWriter implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DeadLetterWriter.class);
  private static final int MESSAGE_CHARS_MAX = 1_000;
  private static final int STACK_CHARS_MAX = 4_000;
  private static final long RETRY_NANOS = 500_000_000L;
  private static final long ANEW_NANOS = 5_000_000_000L;

  /** How much of the task a dead letter carries. */
  private enum Size {
    FULL,
    WITHOUT_STACK,
    WITHOUT_PAYLOAD
  }

  private record Letter(RecordRun run, Outcome.Dead why, Size size, long notBeforeNanos) {}

  private final Map<String, Object> producerProperties;
  private final String worker;
  private final Clock clock;
  private final @Nullable HistoryWriter history;
  private final Consumer<RecordRun> acknowledged;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Queue<Letter> letters = new ArrayDeque<>();
  private @Nullable Thread thread;
  private boolean closed;

  /**
   * @param acknowledged told of each task whose dead letter is in the log
   */
  DeadLetterWriter(
      Map<String, Object> producerProperties,
      String worker,
      Clock clock,
      @Nullable HistoryWriter history,
      Consumer<RecordRun> acknowledged) {
    this.producerProperties = producerProperties;
    this.worker = worker;
    this.clock = clock;
    this.history = history;
    this.acknowledged = acknowledged;
  }

  /** Never blocks. */
  void write(RecordRun run, Outcome.Dead why) {
    add(new Letter(run, why, Size.FULL, clock.nanos()));
  }

  private void add(Letter letter) {
    lock.lock();
    try {
      if (closed) {
        leftOver(letter.run());
        return;
      }
      letters.add(letter);
      if (thread == null) {
        Thread started = new Thread(this::run, "sluice-dead-letters-" + worker);
        started.setDaemon(true);
        thread = started;
        started.start();
      }
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    do {
      try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(producerProperties)) {
        for (Letter letter = next(); letter != null; letter = next()) {
          send(producer, letter);
        }
      } catch (RuntimeException e) {
        LOG.error(
            "The producer of dead letters failed and is made anew in {} s; tasks that failed for"
                + " good stay unfinished until then",
            TimeUnit.NANOSECONDS.toSeconds(ANEW_NANOS),
            e);
      }
    } while (!awaitClosed());
  }

  private boolean awaitClosed() {
    lock.lock();
    try {
      long rest = ANEW_NANOS;
      while (!closed && rest > 0) {
        rest = changed.awaitNanos(rest);
      }
      return closed;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Letter next() {
    lock.lock();
    try {
      while (!closed) {
        Letter letter = letters.peek();
        long wait =
            letter == null ? TimeUnit.SECONDS.toNanos(1) : letter.notBeforeNanos() - clock.nanos();
        if (letter != null && wait <= 0) {
          return letters.poll();
        }
        changed.awaitNanos(wait);
      }
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    } finally {
      lock.unlock();
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // the callback is told of the same outcome
  private void send(KafkaProducer<byte[], byte[]> producer, Letter letter) {
    if (letter.run().stale()) {
      record(letter.run(), HistoryEvent.FAILED, "STALE");
      acknowledged.accept(letter.run());
      return;
    }
    try {
      producer.send(
          record(letter),
          (metadata, failure) -> {
            if (failure == null) {
              written(letter.run(), letter.why());
            } else {
              again(letter, failure);
            }
          });
    } catch (RuntimeException e) {
      again(letter, e);
    }
  }

  private void written(RecordRun run, Outcome.Dead why) {
    if (run.stale()) {
      record(run, HistoryEvent.FAILED, "STALE");
    } else {
      record(run, HistoryEvent.DEAD, why.failure().getClass().getName());
    }
    acknowledged.accept(run);
  }

  private void record(RecordRun run, HistoryEvent event, String error) {
    HistoryWriter writer = history;
    if (writer != null) {
      writer.task(
          event,
          run.id(),
          run.record.key(),
          run.queue.name(),
          run.record.partition(),
          run.record.offset(),
          run.attempt(),
          error);
    }
  }

  private void again(Letter letter, Exception failure) {
    Size size = letter.size();
    if (failure instanceof RecordTooLargeException && size != Size.WITHOUT_PAYLOAD) {
      size = size == Size.FULL ? Size.WITHOUT_STACK : Size.WITHOUT_PAYLOAD;
      add(new Letter(letter.run(), letter.why(), size, clock.nanos()));
      return;
    }
    LOG.warn(
        "The dead letter of task {} could not be written to {}; its task stays unfinished and the"
            + " write is tried again: {}",
        letter.run().id(),
        letter.run().queue.deadLetterTopic(),
        failure.toString());
    add(new Letter(letter.run(), letter.why(), size, clock.nanos() + RETRY_NANOS));
  }

  private ProducerRecord<byte[], byte[]> record(Letter letter) {
    RecordRun run = letter.run();
    Throwable failure = letter.why().failure();
    Headers headers = new RecordHeaders(run.record.headers().toArray());
    put(headers, TaskHeaders.ORIGIN, TaskCodec.origin(run.record));
    if (TaskCodec.text(headers, TaskHeaders.ID) == null) {
      put(headers, TaskHeaders.ID, run.id());
    }
    put(headers, TaskHeaders.ERROR_TYPE, failure.getClass().getName());
    put(
        headers,
        TaskHeaders.ERROR_MESSAGE,
        capped(letter.why().why() + ": " + failure.getMessage(), MESSAGE_CHARS_MAX));
    put(headers, TaskHeaders.ERROR_ATTEMPTS, Integer.toString(run.attempt()));
    long now = clock.epochMillis();
    long first = run.firstFailureAtMillis == 0 ? now : run.firstFailureAtMillis;
    put(headers, TaskHeaders.ERROR_FIRST_AT, Long.toString(first));
    put(headers, TaskHeaders.ERROR_LAST_AT, Long.toString(now));
    put(headers, TaskHeaders.ERROR_WORKER, worker);
    if (letter.size() == Size.FULL) {
      put(headers, TaskHeaders.ERROR_STACK, stack(failure));
    }
    byte[] value = letter.size() == Size.WITHOUT_PAYLOAD ? null : run.record.value();
    return new ProducerRecord<>(
        run.queue.deadLetterTopic(), null, run.record.key(), value, headers);
  }

  private static void put(Headers headers, String name, String value) {
    headers.remove(name);
    headers.add(name, value.getBytes(UTF_8));
  }

  private static String stack(Throwable failure) {
    StringWriter text = new StringWriter();
    // A stack overflow has a thousand frames: they are cut while they are printed, not after.
    failure.printStackTrace(
        new PrintWriter(text) {
          @Override
          public void println(Object line) {
            if (text.getBuffer().length() < STACK_CHARS_MAX) {
              super.println(line);
            }
          }
        });
    return capped(text.toString(), STACK_CHARS_MAX);
  }

  private static String capped(String text, int chars) {
    return text.length() <= chars ? text : text.substring(0, chars - 1) + "…";
  }

  /** Ends the thread after what it is sending; what waits is left to the next owner of its task. */
  @Override
  public void close() {
    Thread running;
    lock.lock();
    try {
      closed = true;
      running = thread;
      changed.signal();
    } finally {
      lock.unlock();
    }
    if (running != null) {
      try {
        running.join(1_000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    lock.lock();
    try {
      for (Letter letter = letters.poll(); letter != null; letter = letters.poll()) {
        leftOver(letter.run());
      }
    } finally {
      lock.unlock();
    }
  }

  private void leftOver(RecordRun run) {
    record(run, HistoryEvent.FAILED, "INTERRUPTED");
  }
}
