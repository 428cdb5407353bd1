// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.Cancellation;
import dev.sluice.QueueFullException;
import dev.sluice.SluiceException;
import dev.sluice.Task;
import dev.sluice.TaskResult;
import dev.sluice.UnknownOutcomeException;
import dev.sluice.batch.kafka.BatchReader;
import dev.sluice.fleet.CancelWish;
import dev.sluice.fleet.DeclaredQueue;
import dev.sluice.fleet.kafka.FleetMember;
import dev.sluice.fleet.kafka.SettingsRecords;
import dev.sluice.fleet.wire.ControlCodec;
import dev.sluice.flow.gate.Admission;
import dev.sluice.flow.gate.Admission.Refusal;
import dev.sluice.flow.gate.Admission.Refused;
import dev.sluice.flow.gate.Admission.WaitNanos;
import dev.sluice.producer.TaskRefusedException.Reason;
import dev.sluice.producer.gate.AdmissionClient;
import dev.sluice.producer.gate.CreditDesk;
import dev.sluice.producer.gate.CreditTicket;
import dev.sluice.producer.gate.Permit;
import dev.sluice.producer.gate.QueueCredit;
import dev.sluice.producer.kafka.QueueJoin;
import dev.sluice.producer.kafka.ResultDesk;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.time.Clock;
import dev.sluice.wire.ResultCodec;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Publishes tasks, at most so many and so many bytes of them on their way at once. Thread-safe;
 * callers that wait are served in the order in which they came.
 *
 * <p>Every submit ends in one of three ways, and in bounded time once there was room:
 *
 * <ul>
 *   <li><b>accepted</b>: all in-sync replicas have the record;
 *   <li><b>refused</b> ({@link QueueFullException}, {@link TaskRefusedException}): it was not
 *       published and never starts;
 *   <li><b>unknown</b> ({@link UnknownOutcomeException}): it may or may not be in the log. Submit
 *       it again under the same id, if at all.
 * </ul>
 *
 * <p>{@code submit} waits for the acknowledgement: when it has returned, the task is safe. One
 * thread that waits for each task is slow; {@link #submitAsync} waits for room only, and is what a
 * thread with many tasks wants.
 *
 * <p>The bound holds for what was submitted and has no outcome. A submit to a topic whose
 * partitions the client does not know, because it is new or because all brokers went away, may
 * exceed its time by up to {@code max.block.ms} (default 5 s), and is then refused.
 */
public final class TaskProducer implements AutoCloseable {
  private static final Duration RETRY_AFTER_RELEASE = Duration.ofSeconds(1);

  private final Producer<byte[], byte[]> kafka;
  private final AdmissionClient admission;
  private final CreditDesk credits;
  private final @Nullable FleetMember member;
  private final TaskEncoder encoder;
  private final Delays delays;
  private final ResultDesk results;
  private final Supplier<QueueJoin> joins;
  private final Batches batches;
  private final Outcomes outcomes;
  private final Clock clock;
  private final Duration closeTimeout;
  private final String settingsTopic;
  private final BiFunction<String, Duration, CompletableFuture<Cancellation>> queued = this::cancel;
  private final AtomicBoolean closed = new AtomicBoolean();

  TaskProducer(
      Producer<byte[], byte[]> kafka,
      AdmissionClient admission,
      CreditDesk credits,
      @Nullable FleetMember member,
      TaskEncoder encoder,
      Delays delays,
      ResultDesk results,
      Supplier<QueueJoin> joins,
      Batches batches,
      Outcomes outcomes,
      Clock clock,
      Duration closeTimeout,
      String settingsTopic) {
    this.settingsTopic = settingsTopic;
    this.kafka = kafka;
    this.admission = admission;
    this.credits = credits;
    this.member = member;
    this.encoder = encoder;
    this.delays = delays;
    this.results = results;
    this.joins = joins;
    this.batches = batches;
    this.outcomes = outcomes;
    this.clock = clock;
    this.closeTimeout = closeTimeout;
  }

  /**
   * A producer with the default settings.
   *
   * @param bootstrapServers {@code host:port}, several with commas
   */
  public static TaskProducer connect(String bootstrapServers) {
    return builder(bootstrapServers).build();
  }

  /** Settings for a producer. */
  public static TaskProducerBuilder builder(String bootstrapServers) {
    return new TaskProducerBuilder(bootstrapServers);
  }

  /**
   * Publishes a task: waits while the producer is full, sends, and waits for the acknowledgement.
   *
   * @throws TaskRefusedException if it was not published; with {@link Reason#INTERRUPTED} if the
   *     thread was interrupted while it waited for room (it stays interrupted)
   * @throws UnknownOutcomeException if its fate is not known; also if the thread was interrupted
   *     while it waited for the acknowledgement (it stays interrupted)
   */
  public TaskHandle submit(Task<?> task) {
    Submission submission = send(task, Long.MAX_VALUE);
    Acceptance ignored = submission.await(Long.MAX_VALUE);
    return submission;
  }

  /**
   * Publishes a task like {@link #submit(Task)}, within a time.
   *
   * @param timeout for room and acknowledgement together
   * @throws QueueFullException if there was no room in time; it was not published
   * @throws TaskRefusedException if it was not published for another reason
   * @throws UnknownOutcomeException if its fate is not known, for example because no
   *     acknowledgement came in time
   */
  public TaskHandle submit(Task<?> task, Duration timeout) {
    long budget = Nanos.of(timeout);
    long start = clock.nanos();
    Submission submission = send(task, budget);
    Acceptance ignored = submission.await(Nanos.left(budget, start, clock.nanos()));
    return submission;
  }

  /**
   * Publishes a task like {@link #submit(Task)} if there is room at once.
   *
   * @return empty if there is no room, or if others wait for it; it was not published
   * @throws TaskRefusedException if it was not published for another reason
   * @throws UnknownOutcomeException if its fate is not known
   */
  public Optional<TaskHandle> trySubmit(Task<?> task) {
    try {
      Submission submission = send(task, 0);
      Acceptance ignored = submission.await(Long.MAX_VALUE);
      return Optional.of(submission);
    } catch (QueueFullException e) {
      return Optional.empty();
    }
  }

  /**
   * Waits for room, sends, and does not wait for the acknowledgement: the fate of the task is that
   * of {@link TaskHandle#accepted()}.
   *
   * @throws TaskRefusedException if it is clear at once that it was not published
   */
  public TaskHandle submitAsync(Task<?> task) {
    return sendOrThrow(task, Long.MAX_VALUE);
  }

  /**
   * Sends like {@link #submitAsync(Task)}, if there is room in time.
   *
   * @param timeout for room; zero to only try
   * @throws QueueFullException if there was no room in time; it was not published
   * @throws TaskRefusedException if it is clear at once that it was not published
   */
  public TaskHandle submitAsync(Task<?> task, Duration timeout) {
    return sendOrThrow(task, Nanos.of(timeout));
  }

  private Submission sendOrThrow(Task<?> task, long maxWaitNanos) {
    Submission submission = send(task, maxWaitNanos);
    TaskRefusedException refusal = submission.refusal();
    if (refusal != null) {
      throw refusal;
    }
    return submission;
  }

  private Submission send(Task<?> given, long maxWaitNanos) {
    Task<?> task = encoder.identified(given);
    String id = String.valueOf(task.id());
    TaskEncoder.Encoded encoded;
    CompletableFuture<TaskResult> result = null;
    Permit permit;
    // The thread on which outcomes arrive must not wait for what outcomes set free.
    boolean mayWait = maxWaitNanos > 0 && !outcomes.onCallbackThread();
    CreditTicket credit = new CreditTicket(mayWait ? maxWaitNanos : 0);
    try {
      encoded = encoder.encode(task, id);
      result = expect(task, id, encoded.record().topic());
      encoded = delays.delayed(encoded, task);
      permit = new Permit(encoded.bytes());
      long start = clock.nanos();
      takeCredit(credit, task, mayWait || maxWaitNanos <= 0);
      enter(permit, task, Nanos.left(maxWaitNanos, start, clock.nanos()));
    } catch (TaskRefusedException | QueueFullException e) {
      credit.settle(false);
      if (result != null) {
        result.completeExceptionally(e);
      }
      outcomes.rejected(id, task.key());
      throw e;
    }
    Submission submission =
        new Submission(
            id,
            encoded.record().topic(),
            task.key(),
            encoded.delayed(),
            result,
            permit,
            credit,
            encoded.delayed() ? cancellerOf(task) : queued,
            outcomes);
    submission.send(kafka, placed(encoded, given.id() != null));
    return submission;
  }

  /** A delayed task is found by its time. */
  private BiFunction<String, Duration, CompletableFuture<Cancellation>> cancellerOf(Task<?> task) {
    Instant due =
        Instant.ofEpochMilli(
            Long.parseLong(String.valueOf(task.headers().get(TaskHeaders.NOT_BEFORE)).trim()));
    return (id, timeout) -> cancel(id, due, timeout);
  }

  /** Whoever asks for the result later finds it: its topic is there before the task is. */
  private void prepareReply(Task<?> task, String topic) {
    String replyTo = replyTo(task);
    if (replyTo == null) {
      return;
    }
    try {
      results.prepare(replyTo, topic);
    } catch (SluiceException e) {
      throw new TaskRefusedException(
          Reason.INVALID, task + " was not published: " + e.getMessage(), e);
    }
  }

  private static @Nullable String replyTo(Task<?> task) {
    Map<String, String> headers = task.headers();
    return headers.isEmpty() ? null : headers.get(TaskHeaders.REPLY_TO);
  }

  /** What completes when the task has ended; null if nobody wants to know. */
  private @Nullable CompletableFuture<TaskResult> expect(Task<?> task, String id, String topic) {
    String replyTo = replyTo(task);
    if (replyTo == null) {
      return null;
    }
    try {
      CompletableFuture<TaskResult> result = results.expect(replyTo, topic, id);
      var ignored =
          result.whenComplete(
              (told, failure) -> {
                if (failure != null) {
                  results.forget(replyTo, id, result); // it was not published, or nobody knows
                }
              });
      return result;
    } catch (QueueFullException e) {
      throw e;
    } catch (SluiceException e) {
      throw new TaskRefusedException(
          Reason.INVALID, task + " was not published: " + e.getMessage(), e);
    }
  }

  /**
   * A task that was submitted before with a result asked for ({@link Task#withResult}), perhaps by
   * a process that has ended since. Results are found as long as the topic {@code <queue>.results}
   * keeps them: a day, where Sluice has created it.
   *
   * @throws QueueFullException if too many results are waited for already
   * @throws SluiceException if the topic cannot be read
   */
  public ResultHandle handle(String queue, String id) {
    return handleOf(queue + ResultCodec.TOPIC_SUFFIX, id);
  }

  /**
   * The same by the task: its queue, its id, and the topic that it names for results.
   *
   * @throws IllegalArgumentException if it has no id, or asks for no result
   * @see #handle(String, String)
   */
  public ResultHandle handle(Task<?> task) {
    String id = task.id();
    String replyTo = replyTo(task);
    if (id == null || replyTo == null) {
      throw new IllegalArgumentException(
          task + " has no id or asks for no result: its result cannot be found");
    }
    return handleOf(replyTo, id);
  }

  private ResultHandle handleOf(String topic, String id) {
    return Results.handle(id, results.find(topic, id));
  }

  /**
   * Without a key, the id that somebody chose decides where a task goes: a second one follows it.
   */
  private ProducerRecord<byte[], byte[]> placed(TaskEncoder.Encoded encoded, boolean chosenId) {
    ProducerRecord<byte[], byte[]> record = encoded.record();
    if (!chosenId || encoded.delayed() || record.key() != null) {
      return record;
    }
    try {
      int partitions = kafka.partitionsFor(record.topic()).size();
      return new ProducerRecord<>(
          record.topic(),
          TaskCodec.partitionOf(encoded.id(), partitions),
          record.timestamp(),
          null,
          record.value(),
          record.headers());
    } catch (RuntimeException e) {
      return record; // whatever is wrong is told, and counted, where it is sent
    }
  }

  private static String tenant(Task<?> task) {
    Map<String, String> headers = task.headers();
    return headers.isEmpty() ? "" : headers.getOrDefault(TaskHeaders.TENANT, "");
  }

  /** Waits for what the fleet has room for; it holds nothing else meanwhile. */
  private void takeCredit(CreditTicket ticket, Task<?> task, boolean asAsked) {
    QueueCredit.Answer answer;
    try {
      answer =
          credits.take(
              task.queue(),
              tenant(task),
              ticket,
              task.sheddable(),
              PriorityLevels.priorityOf(task));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TaskRefusedException(
          Reason.INTERRUPTED,
          task + " was not published: the thread was interrupted while it waited for room.",
          e);
    }
    boolean full = answer == QueueCredit.Answer.FULL || answer == QueueCredit.Answer.NO_COORDINATOR;
    if (full && !asAsked) {
      throw new TaskRefusedException(
          Reason.WOULD_DEADLOCK,
          task
              + " was not published: its queue is full, and waiting for room on the thread that"
              + " talks to the brokers would wait for ever. Submit from a thread of your own.",
          null);
    }
    switch (answer) {
      case GRANTED -> {}
      case CLOSED -> throw refused(task, Refusal.CLOSED);
      case SEALED ->
          throw new TaskRefusedException(
              Reason.SEALED,
              task
                  + " was not published: queue "
                  + task.queue()
                  + " is sealed, its workers only finish what is there. 'sluice queue unseal "
                  + task.queue()
                  + "' opens it again.",
              null);
      case FULL ->
          throw new QueueFullException(
              task
                  + " was not published: queue "
                  + task.queue()
                  + " is full"
                  + (task.sheddable() ? " for sheddable tasks" : "")
                  + ". Its workers have to finish tasks first; submit it later, or raise the"
                  + " capacity with 'sluice queue limit'.",
              credits.retryAfter(task.queue()));
      case NO_COORDINATOR ->
          throw new QueueFullException(
              task
                  + " was not published: queue "
                  + task.queue()
                  + " has a capacity, and no worker answers that could say how much room is left."
                  + " Start a worker, or look at 'sluice queue explain "
                  + task.queue()
                  + "'.",
              credits.retryAfter(task.queue()));
    }
  }

  private void enter(Permit permit, Task<?> task, long maxWaitNanos) {
    Admission answer;
    try {
      answer = admission.enter(permit, 0);
      if (answer instanceof WaitNanos && maxWaitNanos > 0) {
        if (outcomes.onCallbackThread()) {
          throw new TaskRefusedException(
              Reason.WOULD_DEADLOCK,
              task
                  + " was not published: there is no room, and waiting for it on the thread that"
                  + " talks to the brokers would wait for ever. Submit from a thread of your own.",
              null);
        }
        answer = admission.enter(permit, maxWaitNanos);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TaskRefusedException(
          Reason.INTERRUPTED,
          task + " was not published: the thread was interrupted while it waited for room.",
          e);
    }
    if (answer instanceof WaitNanos wait) {
      throw full(task, wait, maxWaitNanos);
    }
    if (answer instanceof Refused refused) {
      throw refused(task, refused.reason());
    }
  }

  private static QueueFullException full(Task<?> task, WaitNanos wait, long maxWaitNanos) {
    Duration retryAfter =
        wait.nanos() == WaitNanos.UNTIL_RELEASE
            ? RETRY_AFTER_RELEASE
            : Duration.ofNanos(wait.nanos());
    return new QueueFullException(
        task
            + " was not published: "
            + wait.reason()
            + " for "
            + Duration.ofNanos(maxWaitNanos).toMillis()
            + " ms. Submit it later, wait longer, or raise maxInFlightTasks, maxInFlightBytes or"
            + " the rate.",
        retryAfter);
  }

  private static TaskRefusedException refused(Task<?> task, Refusal reason) {
    return switch (reason) {
      case TOO_LARGE ->
          new TaskRefusedException(
              Reason.TOO_LARGE,
              task
                  + " was not published: it alone is larger than maxInFlightBytes. Make it smaller"
                  + " or raise the setting.",
              null);
      case CLOSED ->
          new TaskRefusedException(
              Reason.CLOSED, task + " was not published: the producer is closed.", null);
    };
  }

  /**
   * Asks for a delayed task not to run. Where the answer is {@link Cancellation#CANCELLED} it does
   * not; where it is {@link Cancellation#TOO_LATE} it does, or did.
   *
   * @param id of the task
   * @param notBefore as it was submitted, by whoever did
   * @param timeout for the answer, which comes from the worker that serves delayed tasks
   * @return the answer, on a thread that must not be blocked; it fails with a {@link
   *     SluiceException} where none came in time
   * @throws SluiceException if the brokers do not answer, or too many wait for an answer already
   */
  public CompletableFuture<Cancellation> cancel(String id, Instant notBefore, Duration timeout) {
    return delays.cancel(id, notBefore, timeout);
  }

  /**
   * Asks for a task not to run that is in its queue: one that waits does not, one that runs is
   * told. For one whose result was asked for, {@link TaskHandle#ended} tells that it was cancelled.
   *
   * @param id of the task
   * @param timeout for the answer, which comes from the worker that has the task; where this
   *     producer has not read the settings of the fleet yet, this waits for them at most as long,
   *     and at most 10 s
   * @return the answer, on a thread that must not be blocked; {@link Cancellation#NOT_SEEN} if none
   *     came in time
   * @throws SluiceException if the fleet's settings cannot be reached, or too many wait for an
   *     answer already
   */
  public CompletableFuture<Cancellation> cancel(String id, Duration timeout) {
    try {
      if (!credits.awaitSettings(Nanos.of(timeout))) {
        throw new SluiceException(
            "Task " + id + " was not cancelled: no worker has ever told the fleet of a queue.");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SluiceException("Task " + id + " was not cancelled: interrupted.", e);
    }
    CancelWish wish;
    try {
      wish = CancelWish.of(id, "producer", clock.epochMillis());
    } catch (IllegalArgumentException e) {
      throw new SluiceException(String.valueOf(e.getMessage()), e);
    }
    CompletableFuture<Cancellation> answer = credits.cancels().expect(id, timeout);
    var ignored =
        kafka.send(
            new ProducerRecord<>(
                settingsTopic, 0, SettingsRecords.cancelKey(id), ControlCodec.write(wish)),
            (metadata, failure) -> {
              if (failure != null) {
                credits
                    .cancels()
                    .failed(
                        id,
                        new SluiceException(
                            "Task " + id + " was not cancelled: " + failure.getMessage(), failure));
              }
            });
    return answer;
  }

  /**
   * Waits until everything that was in a queue when this was called has ended, whoever submitted
   * it: done, dead-lettered, expired or cancelled. Tasks that come meanwhile do not prolong it, and
   * those that wait in the delay topics are not in the queue yet: with {@code onRetry: let-pass}
   * that holds for failed ones as well.
   *
   * @return false if the time was up
   * @throws SluiceException if the brokers do not answer
   * @throws InterruptedException if the thread was interrupted while it waited
   */
  public boolean join(String queue, Duration timeout) throws InterruptedException {
    Optional<DeclaredQueue> declared = credits.awaitDeclared(queue);
    List<String> topics =
        declared.map(DeclaredQueue::topics).orElseGet(() -> encoder.topicsOf(queue));
    String group =
        declared.map(DeclaredQueue::group).orElseGet(() -> QueueDefinition.named(queue).group());
    try (QueueJoin join = joins.get()) {
      return join.await(topics, group, Nanos.of(timeout));
    }
  }

  /**
   * Opens a batch of that name: a new one, or one that was opened before and is not sealed. Another
   * process that has it open cannot add to it any more. What the records of a batch say is kept for
   * seven days, where Sluice has created their topic. After the death of a worker this waits until
   * the brokers have undone its transaction, some tens of seconds: before that it is not known what
   * is in the batch.
   *
   * @param name 1 to 200 of a-z, A-Z, 0-9, '.', '_', ':' and '-'
   * @throws dev.sluice.ConfigException if the topic of batches is missing and may not be created
   * @throws SluiceException if the brokers do not answer
   */
  public Batch batch(String name) {
    return batches.open(
        name,
        new Batch.Source() {
          @Override
          public ProducerRecord<byte[], byte[]> record(Task<?> given) {
            Task<?> task = encoder.identified(given);
            TaskEncoder.Encoded made = encoder.encode(task, String.valueOf(task.id()));
            prepareReply(task, made.record().topic());
            TaskEncoder.Encoded encoded = delays.delayed(made, task);
            return placed(encoded, given.id() != null);
          }

          @Override
          public boolean credit(Task<?> task, CreditTicket ticket) {
            try {
              takeCredit(ticket, task, true);
              return true;
            } catch (QueueFullException e) {
              return false;
            }
          }
        });
  }

  /**
   * Waits until a batch that anybody has opened is sealed and all its tasks have ended.
   *
   * @return false if the time was up
   * @throws SluiceException if the brokers do not answer
   * @throws InterruptedException if the thread was interrupted while it waited
   */
  public boolean joinBatch(String name, Duration timeout) throws InterruptedException {
    try (BatchReader reader = batches.reader(name)) {
      return reader.await(Nanos.of(timeout));
    }
  }

  /** How many tasks are on their way and have no outcome. */
  public int inFlightTasks() {
    return admission.tasks();
  }

  /** How long threads have waited for room in the queues, all together, since it was built. */
  public Duration waitedForQueues() {
    return credits.waited();
  }

  /** How many bytes they have together. */
  public long inFlightBytes() {
    return admission.bytes();
  }

  /**
   * Waits until every task that was submitted before this call has its outcome. Tasks that others
   * submit meanwhile do not prolong it.
   *
   * @return false if the time was up
   * @throws InterruptedException if the thread was interrupted while it waited
   */
  public boolean flush(Duration timeout) throws InterruptedException {
    return admission.awaitEmpty(Nanos.of(timeout));
  }

  /** Closes as {@link #close(Duration)} does, within the close time-out of the builder. */
  @Override
  public void close() {
    close(closeTimeout);
  }

  /**
   * Refuses what waits and what comes, and waits for what is in flight; what has no outcome when
   * the time is up is unknown. Closing again does nothing. May be called from any thread but that
   * of {@link TaskHandle#accepted()}, where it does not wait.
   *
   * @param timeout how long at most, with dead brokers too
   */
  public void close(Duration timeout) {
    admission.close();
    credits.close();
    if (closed.compareAndSet(false, true)) {
      // An interrupt must not leave the client open: it is put off until the client is closed.
      boolean interrupted = Thread.interrupted();
      try {
        kafka.close(timeout.isNegative() ? Duration.ZERO : timeout);
        delays.close();
        results.close();
        if (member != null) {
          member.close();
        }
      } finally {
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }
}
