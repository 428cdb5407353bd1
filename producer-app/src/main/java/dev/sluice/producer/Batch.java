// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.SluiceException;
import dev.sluice.Task;
import dev.sluice.UnknownOutcomeException;
import dev.sluice.batch.kafka.BatchReader;
import dev.sluice.producer.gate.CreditTicket;
import dev.sluice.producer.kafka.Ticker;
import dev.sluice.time.Clock;
import dev.sluice.wire.BatchCount;
import dev.sluice.wire.TaskHeaders;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A set of tasks that is waited for as one, with exact counts through the deaths of producers and
 * workers. Tasks are added in small transactions, each with the count of what it adds; whoever
 * opens the batch again, after a crash for example, fences the one before, and {@link #added} says
 * where to go on. Tasks that handlers submit while they work a task of the batch belong to it, too.
 *
 * <p>The queues of the batch have to be worked with {@code effects: transactional}, which is what
 * makes the counts exact: in another queue a task of a batch is a dead letter. Thread-safe.
 */
public final class Batch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Batch.class);
  private static final int TASKS_MAX = 500;
  private static final long OPEN_MILLIS_MAX = 100;

  /** What gives a task of the batch its record, and takes the credit for it. */
  interface Source {
    /** The record of a task that has credit. */
    ProducerRecord<byte[], byte[]> record(Task<?> task);

    /**
     * Takes credit.
     *
     * @return false if there was none and it was not to wait
     */
    boolean credit(Task<?> task, CreditTicket ticket);
  }

  private final String name;
  private final String counts;
  private final KafkaProducer<byte[], byte[]> kafka;
  private final BatchReader reader;
  private final Source source;
  private final Clock clock;
  private final Ticker ticker;
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by the lock.
  private final List<CreditTicket> open = new ArrayList<>();
  private final AtomicReference<@Nullable Exception> refused = new AtomicReference<>();
  private long begunNanos;

  /** Of those, how many are not of the batch. */
  private int uncounted;

  private long added;
  private boolean closed;
  private @Nullable SluiceException broken;

  /**
   * @param counts the topic that it is counted in
   * @param kafka transactional, under the name of the batch, and initialized
   */
  Batch(
      String name,
      String counts,
      KafkaProducer<byte[], byte[]> kafka,
      BatchReader reader,
      Source source,
      Clock clock) {
    this.name = name;
    this.counts = counts;
    this.kafka = kafka;
    this.reader = reader;
    this.source = source;
    this.clock = clock;
    BatchCount known = reader.settled(); // to go on before the end would add tasks twice
    this.added = known.added();
    this.closed = known.closed();
    this.ticker = new Ticker("sluice-batch-" + name, OPEN_MILLIS_MAX, this::commitOld);
  }

  /** Whoever adds seldom has its tasks published soon all the same. */
  private void commitOld() {
    lock.lock();
    try {
      if (broken == null && !open.isEmpty() && isOld()) {
        commit(false);
      }
    } catch (SluiceException e) {
      LOG.warn("{}", e.getMessage()); // and told to whoever adds next
    } finally {
      lock.unlock();
    }
  }

  private boolean isOld() {
    return clock.nanos() - begunNanos > TimeUnit.MILLISECONDS.toNanos(OPEN_MILLIS_MAX);
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /**
   * How many tasks are in it for good, those included that were added before it was opened here:
   * what comes next is the task of that number.
   */
  public long added() {
    lock.lock();
    try {
      return added;
    } finally {
      lock.unlock();
    }
  }

  /** Whether nothing more can be added. */
  public boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Adds a task, and waits while its queue is full. It is in the batch for good, and visible to
   * workers, after about 100 ms, or once {@link #flush}, {@link #seal} or {@link #close} has
   * returned.
   *
   * @throws IllegalStateException if the batch is closed
   * @throws TaskRefusedException if the task can never be published
   * @throws SluiceException if what was added since the last flush was not published, or another
   *     process has opened this batch: open it again, and go on from {@link #added}
   */
  public void add(Task<?> task) {
    lock.lock();
    try {
      requireUsable();
      Task<?> marked = task.header(TaskHeaders.BATCH, name);
      CreditTicket ticket = new CreditTicket(0);
      if (!source.credit(marked, ticket)) {
        commit(false); // what waits here for its commit cannot be worked, and makes no room
        ticket = new CreditTicket(Long.MAX_VALUE);
        boolean ignored = source.credit(marked, ticket);
      }
      try {
        send(source.record(marked), ticket);
      } catch (TaskRefusedException e) {
        ticket.settle(false);
        throw e;
      }
      if (open.size() >= TASKS_MAX || isOld()) {
        commit(false);
      }
    } finally {
      lock.unlock();
    }
  }

  /** In the transaction of the seal, and not counted. */
  private void addLast(Task<?> onComplete) {
    commit(false);
    Task<?> named = onComplete.id() == null ? onComplete.id(name + ".complete") : onComplete;
    Task<?> marked =
        named.header(TaskHeaders.AFTER_BATCH, name).header(TaskHeaders.NOT_BEFORE, "0");
    CreditTicket ticket = new CreditTicket(Long.MAX_VALUE);
    boolean ignored = source.credit(marked, ticket);
    try {
      send(source.record(marked), ticket);
      uncounted = 1;
    } catch (TaskRefusedException e) {
      ticket.settle(false);
      throw e;
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // the callback is told of the same outcome
  private void send(ProducerRecord<byte[], byte[]> record, CreditTicket ticket) {
    try {
      if (open.isEmpty()) {
        kafka.beginTransaction();
        begunNanos = clock.nanos();
      }
      open.add(ticket);
      kafka.send(
          record,
          (metadata, failure) -> {
            if (failure != null) {
              refused.compareAndSet(null, failure);
            }
          });
    } catch (KafkaException e) {
      throw undone(e);
    }
  }

  /**
   * Waits until everything that was added is in the batch for good.
   *
   * @throws SluiceException as {@link #add}
   */
  public void flush() {
    lock.lock();
    try {
      requireUsable();
      commit(false);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Adds nothing more: with this, {@link #join} may return. Closing again does nothing.
   *
   * @throws SluiceException as {@link #add}
   */
  public void seal() {
    sealWith(null);
  }

  /**
   * The same, with a task that runs once all tasks of the batch have ended, however they did and
   * whoever has died meanwhile. It is published in one transaction with the seal, waits in its
   * queue, and looks about every two seconds whether its time has come. It is not one of the batch.
   *
   * @param onComplete that task; its id is that of the batch and {@code .complete} unless it has
   *     one
   * @throws TaskRefusedException if the task can never be published
   * @throws SluiceException as {@link #add}
   */
  public void seal(Task<?> onComplete) {
    sealWith(onComplete);
  }

  private void sealWith(@Nullable Task<?> onComplete) {
    lock.lock();
    try {
      if (!closed) {
        requireUsable();
        if (onComplete != null) {
          addLast(onComplete);
        }
        commit(true);
        closed = true;
      }
    } finally {
      lock.unlock();
    }
  }

  private void commit(boolean last) {
    if (open.isEmpty() && !last) {
      return;
    }
    int count = open.size() - uncounted;
    try {
      if (open.isEmpty()) {
        kafka.beginTransaction();
      }
      var ignored = kafka.send(new BatchCount(count, 0, 0, 0, last).toRecord(counts, name));
      kafka.flush();
      Exception first = refused.get();
      if (first != null) {
        throw undone(first);
      }
      try {
        kafka.commitTransaction();
      } catch (TimeoutException e) {
        kafka.commitTransaction(); // asked a second time, it waits for the same answer
      }
    } catch (TimeoutException e) {
      settle(true);
      broken =
          new UnknownOutcomeException(
              "Whether the last "
                  + count
                  + " tasks are in batch "
                  + name
                  + " is not known:"
                  + " open it again, and go on from added()",
              e);
      throw broken;
    } catch (KafkaException e) {
      throw undone(e);
    }
    settle(true);
    added += count;
  }

  private SluiceException undone(Exception why) {
    int count = open.size();
    settle(false);
    SluiceException failure =
        new SluiceException(
            "The last "
                + count
                + " tasks are not in batch "
                + name
                + ": "
                + why.getMessage()
                + ". Open it again, and go on from added().",
            why);
    broken = failure;
    try {
      kafka.abortTransaction();
    } catch (KafkaException e) {
      failure.addSuppressed(e);
    }
    return failure;
  }

  private void settle(boolean published) {
    open.forEach(ticket -> ticket.settle(published));
    open.clear();
    uncounted = 0;
    refused.set(null);
  }

  private void requireUsable() {
    SluiceException known = broken;
    if (known != null) {
      throw new SluiceException("Batch " + name + " cannot be used any more", known);
    }
    if (closed) {
      throw new IllegalStateException("Batch " + name + " is closed: nothing more is added to it");
    }
  }

  /**
   * What became of its tasks so far.
   *
   * @throws SluiceException if the brokers do not answer
   */
  public BatchCount progress() {
    return reader.count();
  }

  /**
   * Waits until the batch is sealed and all its tasks have ended, those included that they have
   * submitted.
   *
   * @return false if the time was up
   * @throws SluiceException if the brokers do not answer
   * @throws InterruptedException if the thread was interrupted while it waited
   */
  public boolean join(Duration timeout) throws InterruptedException {
    return reader.await(Nanos.of(timeout));
  }

  /** Flushes and lets go of the batch, which stays open for whoever opens it again. */
  @Override
  public void close() {
    ticker.close();
    lock.lock();
    try {
      if (broken == null && !closed) {
        commit(false);
      }
      closed = true;
    } finally {
      lock.unlock();
      kafka.close(Duration.ofSeconds(5));
      reader.close();
    }
  }
}
