// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.Cancellation;
import dev.sluice.SluiceException;
import dev.sluice.TaskResult;
import dev.sluice.UnknownOutcomeException;
import dev.sluice.producer.TaskRefusedException.Reason;
import dev.sluice.producer.gate.CreditTicket;
import dev.sluice.producer.gate.Permit;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/** One task from its admission to its end: the handle, and the callback of its record. */
final class Submission implements TaskHandle, Callback {
  /** What happens at the end of a submission; called once, on any thread, must not block. */
  interface End {
    /** Exactly one of the two is not null. */
    void ended(
        Submission submission, @Nullable Acceptance acceptance, @Nullable SluiceException failure);

    /** Follows {@link #ended} once everybody who chained to the future was told. */
    void known(Submission submission);

    /** The broker's thread, which must never wait for itself. */
    void calledOn(Thread thread);
  }

  final Permit permit;
  final CreditTicket credit;
  final byte @Nullable [] key;

  /** Whether it went into the delay topics: then its record is not in its queue yet. */
  final boolean delayed;

  final @Nullable CompletableFuture<TaskResult> result;

  private final BiFunction<String, Duration, CompletableFuture<Cancellation>> canceller;

  private final String id;
  private final String topic;
  private final End end;
  private final Thread submitter = Thread.currentThread();
  private final CompletableFuture<Acceptance> future = new CompletableFuture<>();

  /** Read and written by the submitting thread only. */
  private boolean sending;

  /**
   * @param result completes when the task has ended; null if nobody asked for that
   * @param canceller cancels it by its id
   */
  Submission(
      String id,
      String topic,
      byte @Nullable [] key,
      boolean delayed,
      @Nullable CompletableFuture<TaskResult> result,
      Permit permit,
      CreditTicket credit,
      BiFunction<String, Duration, CompletableFuture<Cancellation>> canceller,
      End end) {
    this.canceller = canceller;
    this.delayed = delayed;
    this.result = result;
    this.credit = credit;
    this.id = id;
    this.topic = topic;
    this.key = key;
    this.permit = permit;
    this.end = end;
  }

  /**
   * Hands the record to the client. Whatever happens, the submission ends once, and its permit is
   * given back then.
   */
  void send(Producer<byte[], byte[]> kafka, ProducerRecord<byte[], byte[]> record) {
    sending = true;
    try {
      // The future of the client says no more than the callback does.
      var ignored = kafka.send(record, this);
    } catch (RuntimeException e) {
      finish(null, SendFailures.beforeTaken(id, topic, e));
    } catch (Error e) {
      finish(
          null, SendFailures.beforeTaken(id, topic, new SluiceException("The client failed", e)));
      throw e;
    } finally {
      sending = false;
    }
  }

  @Override
  public void onCompletion(@Nullable RecordMetadata metadata, @Nullable Exception failure) {
    // The client reports what it could not take by a call from within send().
    boolean within = Thread.currentThread() == submitter && sending;
    if (!within) {
      end.calledOn(Thread.currentThread());
    }
    if (failure != null) {
      finish(
          null,
          within
              ? SendFailures.beforeTaken(id, topic, failure)
              : SendFailures.afterTaken(id, topic, failure));
    } else if (metadata != null) {
      finish(
          new Acceptance(
              topic, metadata.partition(), metadata.hasOffset() ? metadata.offset() : -1),
          null);
    }
  }

  private void finish(@Nullable Acceptance acceptance, @Nullable SluiceException failure) {
    try {
      end.ended(this, acceptance, failure);
    } finally {
      try {
        if (failure != null) {
          future.completeExceptionally(failure);
          if (result != null) {
            result.completeExceptionally(failure);
          }
        } else {
          future.complete(acceptance);
        }
      } finally {
        end.known(this);
      }
    }
  }

  /** The refusal of a submission that ended before {@link #send} returned, else null. */
  @Nullable TaskRefusedException refusal() {
    if (!future.isCompletedExceptionally()) {
      return null;
    }
    SluiceException failure = failure();
    return failure instanceof TaskRefusedException refused ? refused : null;
  }

  private SluiceException failure() {
    try {
      Acceptance ignored = future.join();
      throw new IllegalStateException("It did not fail");
    } catch (java.util.concurrent.CompletionException e) {
      return asSluice(e.getCause());
    }
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public CompletableFuture<Acceptance> accepted() {
    return future.copy();
  }

  @Override
  public CompletableFuture<TaskResult> ended() {
    return asked().copy();
  }

  @Override
  public TaskResult result(Duration timeout) {
    return Results.await(id, asked(), timeout);
  }

  private CompletableFuture<TaskResult> asked() {
    CompletableFuture<TaskResult> known = result;
    if (known == null) {
      throw new IllegalStateException(
          "Nobody asked for the result of task " + id + ": submit it as task.withResult()");
    }
    return known;
  }

  @Override
  public CompletableFuture<Cancellation> cancel(Duration timeout) {
    return canceller.apply(id, timeout);
  }

  @Override
  public Acceptance awaitAccepted(Duration timeout) {
    return await(Nanos.of(timeout));
  }

  Acceptance await(long maxWaitNanos) {
    try {
      return future.get(maxWaitNanos, TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      throw asSluice(e.getCause());
    } catch (TimeoutException e) {
      throw new UnknownOutcomeException(
          "Task "
              + id
              + " was sent to topic "
              + topic
              + ", but no acknowledgement came within "
              + Duration.ofNanos(maxWaitNanos).toMillis()
              + " ms. It may still be accepted. To try again, submit it under the same id.",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnknownOutcomeException(
          "The thread was interrupted before the acknowledgement of task "
              + id
              + " in topic "
              + topic
              + " came. It may still be accepted. To try again, submit it under the same id.",
          e);
    }
  }

  /** The failure as it was, with the waiting thread's own trace lost: it has the same text. */
  private SluiceException asSluice(@Nullable Throwable cause) {
    return cause instanceof SluiceException known
        ? known
        : new TaskRefusedException(
            Reason.INVALID, "Task " + id + " failed in a way that was not foreseen", cause);
  }
}
