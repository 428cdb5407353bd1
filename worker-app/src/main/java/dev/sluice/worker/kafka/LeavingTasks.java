// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.PermanentTaskException;
import dev.sluice.TaskResult;
import dev.sluice.history.HistoryEvent;
import dev.sluice.time.Clock;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.thread.Outcome;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the tasks that leave their lane, into dead letters or into the delay topics, on a thread
 * of its own, since a send may block for metadata. A task stays in its lane until the write is
 * acknowledged, which bounds what waits here; a failed send is tried again until it succeeds or the
 * worker stops, and the ledger does not move before.
 */
final class LeavingTasks implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LeavingTasks.class);
  private static final int MESSAGE_CHARS_MAX = 1_000;
  private static final int STACK_CHARS_MAX = 4_000;
  private static final long RETRY_NANOS = 500_000_000L;

  /** A topic that was deleted may come back, but not for ever is that waited for. */
  private static final int TRIES_MAX = 60;

  private static final long ANEW_NANOS = 5_000_000_000L;

  /** Told of each task that is where it goes. */
  interface Left {
    void left(RecordRun run, Engine.Left where);
  }

  /** How much of the task a dead letter carries. */
  private enum Size {
    FULL,
    WITHOUT_STACK,
    WITHOUT_PAYLOAD
  }

  /**
   * @param tries how often it was written in vain
   */
  private record Letter(
      RecordRun run, Outcome.Leaving why, Size size, long notBeforeNanos, int tries) {
    boolean dead() {
      return why instanceof Outcome.Dead;
    }

    Engine.Left where() {
      if (why instanceof Outcome.Submits ended) {
        return switch (ended.end()) {
          case DONE -> Engine.Left.DONE;
          case EXPIRED -> Engine.Left.EXPIRED;
          case CANCELLED -> Engine.Left.CANCELLED;
          case DUPLICATE -> Engine.Left.DUPLICATE;
        };
      }
      return dead() ? Engine.Left.DEAD : Engine.Left.LATER;
    }
  }

  private final Map<String, Object> producerProperties;
  private final String worker;
  private final Clock clock;
  private final RunHistory history;
  private final DelayRoute delays;
  private final Left left;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Queue<Letter> letters = new ArrayDeque<>();
  private @Nullable Thread thread;
  private boolean closed;

  /**
   * @param delays where tasks wait that let others pass
   */
  LeavingTasks(
      Map<String, Object> producerProperties,
      String worker,
      Clock clock,
      RunHistory history,
      DelayRoute delays,
      Left left) {
    this.producerProperties = producerProperties;
    this.worker = worker;
    this.clock = clock;
    this.history = history;
    this.delays = delays;
    this.left = left;
  }

  /** Never blocks. */
  void write(RecordRun run, Outcome.Leaving why) {
    add(new Letter(run, why, Size.FULL, clock.nanos(), 0));
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
            "The producer of dead letters and delayed retries failed and is made anew in {} s; tasks"
                + " that failed stay unfinished until then",
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

  /** All of its records, before the task leaves; where one fails, all are sent again. */
  @SuppressWarnings("FutureReturnValueIgnored") // the callback is told of the same outcome
  private void send(KafkaProducer<byte[], byte[]> producer, Letter letter) {
    if (letter.run().stale()) {
      history.record(letter.run(), HistoryEvent.FAILED, "STALE");
      left.left(letter.run(), letter.where());
      return;
    }
    List<ProducerRecord<byte[], byte[]>> records;
    try {
      records = records(letter);
    } catch (RuntimeException e) {
      again(letter, e);
      return;
    }
    if (records.isEmpty()) {
      written(letter);
      return;
    }
    AtomicInteger open = new AtomicInteger(records.size());
    AtomicReference<@Nullable Exception> first = new AtomicReference<>();
    for (ProducerRecord<byte[], byte[]> record : records) {
      boolean reply = letter.dead() ? record != records.get(0) : letter.run().isReply(record);
      Callback told =
          (metadata, failure) -> {
            if (failure != null && reply && (hopeless(failure) || letter.tries() >= TRIES_MAX)) {
              LOG.warn(
                  "The submitter of task {} is not told how it ended: {}",
                  letter.run().id(),
                  failure.toString());
            } else if (failure != null) {
              first.compareAndSet(null, failure);
            }
            if (open.decrementAndGet() > 0) {
              return;
            }
            Exception why = first.get();
            if (why == null) {
              written(letter);
            } else if (letter.why() instanceof Outcome.Submits) {
              effectFailed(letter, why);
            } else {
              again(letter, why);
            }
          };
      try {
        producer.send(record, told);
      } catch (RuntimeException e) {
        told.onCompletion(null, e);
      }
    }
  }

  /** Whether a record that was refused so will always be. */
  static boolean hopeless(Exception why) {
    return why instanceof RecordTooLargeException
        || why instanceof AuthorizationException
        || why instanceof InvalidTopicException;
  }

  private void effectFailed(Letter letter, Exception why) {
    if (hopeless(why) || letter.tries() >= TRIES_MAX) {
      PermanentTaskException failure =
          new PermanentTaskException("A task that it has submitted could not be published", why);
      add(
          new Letter(
              letter.run(),
              new Outcome.Dead("its work is done, but not passed on", failure),
              Size.FULL,
              clock.nanos(),
              0));
    } else {
      again(letter, why);
    }
  }

  private void written(Letter letter) {
    RecordRun run = letter.run();
    if (run.stale()) {
      history.record(run, HistoryEvent.FAILED, "STALE");
    } else if (letter.where() == Engine.Left.DONE) {
      history.record(run, HistoryEvent.DONE, null);
    } else if (letter.where() == Engine.Left.EXPIRED) {
      history.record(run, HistoryEvent.EXPIRED, null);
    } else if (letter.where() == Engine.Left.CANCELLED) {
      history.record(run, HistoryEvent.CANCELLED, null);
    } else if (letter.where() == Engine.Left.DUPLICATE) {
      history.record(run, HistoryEvent.DUPLICATE, null);
    } else if (letter.why() instanceof Outcome.Dead dead) {
      history.record(run, HistoryEvent.DEAD, dead.failure().getClass().getName());
    } else {
      history.record(run, HistoryEvent.FAILED, "LATER");
    }
    left.left(run, letter.where());
  }

  private void again(Letter letter, Exception failure) {
    Size size = letter.size();
    if (failure instanceof RecordTooLargeException
        && letter.dead()
        && size != Size.WITHOUT_PAYLOAD) {
      size = size == Size.FULL ? Size.WITHOUT_STACK : Size.WITHOUT_PAYLOAD;
      add(new Letter(letter.run(), letter.why(), size, clock.nanos(), 0));
      return;
    }
    LOG.warn(
        "What is to be written of task {} could not be, to {}; it stays unfinished and the write is tried again: {}",
        letter.run().id(),
        where(letter),
        failure.toString());
    int tries = letter.tries() + 1;
    add(new Letter(letter.run(), letter.why(), size, clock.nanos() + RETRY_NANOS, tries));
  }

  private static String where(Letter letter) {
    return switch (letter.where()) {
      case DEAD -> letter.run().queue.deadLetterTopic();
      case LATER -> "the delay topics";
      case DONE -> "the queues of what it has submitted, or its submitter";
      case EXPIRED, CANCELLED, DUPLICATE -> "its submitter";
    };
  }

  private List<ProducerRecord<byte[], byte[]>> records(Letter letter) {
    RecordRun run = letter.run();
    if (letter.why() instanceof Outcome.Submits) {
      return run.effects();
    }
    ProducerRecord<byte[], byte[]> first = record(letter);
    if (letter.why() instanceof Outcome.Dead dead) {
      ProducerRecord<byte[], byte[]> reply =
          run.queue
              .children()
              .reply(run, TaskResult.Outcome.DEAD, run.attempt(), null, null, dead.failure());
      return reply == null ? List.of(first) : List.of(first, reply);
    }
    return List.of(first);
  }

  private ProducerRecord<byte[], byte[]> record(Letter letter) {
    RecordRun run = letter.run();
    Headers headers = new RecordHeaders(run.record.headers().toArray());
    if (!run.ofRetryTopic() || TaskCodec.text(headers, TaskHeaders.ORIGIN) == null) {
      put(headers, TaskHeaders.ORIGIN, TaskCodec.origin(run.record));
    }
    if (TaskCodec.text(headers, TaskHeaders.ID) == null) {
      put(headers, TaskHeaders.ID, run.id());
    }
    if (run.priority() > 0) {
      put(headers, TaskHeaders.PRIORITY, Integer.toString(run.priority()));
    }
    if (letter.why() instanceof Outcome.Dead dead) {
      return deadLetter(letter, dead, headers);
    }
    return later(run, (Outcome.Later) letter.why(), headers);
  }

  private ProducerRecord<byte[], byte[]> later(
      RecordRun run, Outcome.Later later, Headers headers) {
    int next = later.attemptUsed() ? run.attempt() + 1 : run.attempt();
    put(headers, TaskHeaders.ATTEMPT, Integer.toString(next));
    return delays.enter(
        new ProducerRecord<>(
            run.queue.retryTopic(), null, run.record.key(), run.record.value(), headers),
        run.id(),
        TimeUnit.NANOSECONDS.toMillis(later.delayNanos()));
  }

  private ProducerRecord<byte[], byte[]> deadLetter(
      Letter letter, Outcome.Dead dead, Headers headers) {
    RecordRun run = letter.run();
    Throwable failure = dead.failure();
    put(headers, TaskHeaders.ERROR_TYPE, failure.getClass().getName());
    put(
        headers,
        TaskHeaders.ERROR_MESSAGE,
        capped(dead.why() + ": " + failure.getMessage(), MESSAGE_CHARS_MAX));
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
    history.record(run, HistoryEvent.FAILED, "INTERRUPTED");
  }
}
