// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.PermanentTaskException;
import dev.sluice.StopWorkerException;
import dev.sluice.Task;
import dev.sluice.TaskResult;
import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.retry.FailureClass;
import dev.sluice.flow.retry.RetryDecision;
import dev.sluice.history.HistoryEvent;
import dev.sluice.time.Clock;
import dev.sluice.wire.TaskCodec;
import dev.sluice.worker.engine.TaskRun;
import dev.sluice.worker.limit.HandlerHungException;
import dev.sluice.worker.limit.HandlerTimeoutException;
import dev.sluice.worker.thread.Attempts;
import dev.sluice.worker.thread.Outcome;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls the handler, classifies what it throws, and writes the history. Thread-safe. */
final class HandlerAttempts implements Attempts {
  private static final Logger LOG = LoggerFactory.getLogger(HandlerAttempts.class);

  /** How long a task waits before it looks again whether its batch is over. */
  private static final long BATCH_MILLIS = 2_000;

  private static final long RETURNED_NANOS = TimeUnit.MINUTES.toNanos(10);

  private final Clock clock;
  private final RunHistory history;
  private final BiConsumer<RecordRun, Outcome.Leaving> leaving;
  private final Runnable stopWorker;

  /**
   * @param leaving writes what leaves its lane; must not block
   * @param stopWorker asks for the end of the worker; does not wait for it
   */
  HandlerAttempts(
      Clock clock,
      RunHistory history,
      BiConsumer<RecordRun, Outcome.Leaving> leaving,
      Runnable stopWorker) {
    this.stopWorker = stopWorker;
    this.clock = clock;
    this.history = history;
    this.leaving = leaving;
  }

  @Override
  public Outcome run(TaskRun taskRun, long startNanos, Conclusion conclusion) {
    RecordRun run = (RecordRun) taskRun;
    HandlerBinding binding = run.binding;
    if (run.duplicate) {
      return countedDuplicate(run, conclusion);
    }
    if (run.expired(clock)) {
      return notRun(run, conclusion, Outcome.Submits.End.EXPIRED);
    }
    if (run.queue.wishes().any() && run.queue.wishes().wanted(run.id())) {
      run.queue.wishes().cancelled(run.id());
      return notRun(run, conclusion, Outcome.Submits.End.CANCELLED);
    }
    long early = run.earlyMillis(clock);
    if (early > 0) {
      return early(run, conclusion, early);
    }
    // Few tasks say anything of their time, and those that wait for a batch do.
    String after = early == 0 ? null : run.afterBatch();
    if (after != null && !run.queue.children().batchIsOver(after)) {
      return early(run, conclusion, BATCH_MILLIS);
    }
    if (run.batch() != null && !run.assignment().transactional()) {
      return notCountable(run, conclusion);
    }
    boolean watched = binding.state().watched();
    if (watched && !binding.state().mayBegin(clock.nanos())) {
      return notBegun(run, conclusion);
    }
    Throwable failure = null;
    try {
      history.record(run, HistoryEvent.START, null);
      if (watched) {
        binding.state().attemptBegun(clock.nanos());
      }
      run.openEffects();
      binding.handler().handle(Task.received(run.queue.name(), run), run);
    } catch (Throwable t) {
      failure = t;
    }
    run.closeEffects();
    long end = clock.nanos();
    if (binding.state().watched()) {
      binding.state().attemptReturned(end);
    }
    long nanos = end - startNanos;
    if (!conclusion.conclude(end)) {
      // The thread was given up: the task has its dead letter, and what came of it no longer
      // counts.
      binding.state().attemptEnded(Limit.Ending.IGNORED, nanos, null);
      return Outcome.SUCCESS;
    }
    if (failure instanceof StopWorkerException stop) {
      LOG.warn("Task {} ends this worker: {}", run.id(), stop.getMessage());
      stopWorker.run();
      if (!stop.taskIsDone()) {
        return returned(run, nanos, stop);
      }
    } else if (failure != null) {
      return failed(run, failure, nanos);
    }
    return run.hasEffects(TaskResult.Outcome.DONE, run.attempt())
        ? submits(run, nanos)
        : succeeded(run, nanos);
  }

  /** Whoever is given the partition next runs it: here it waits until it is taken away. */
  private Outcome returned(RecordRun run, long nanos, StopWorkerException stop) {
    run.dropEffects();
    run.binding.state().attemptEnded(Limit.Ending.IGNORED, nanos, stop, run.attempt() == 1);
    history.record(run, HistoryEvent.FAILED, run.stale() ? "STALE" : "INTERRUPTED");
    return new Outcome.Retry(RETURNED_NANOS, false);
  }

  /** Nobody waits for it any more: it ends without an attempt, and its permits go back. */
  private Outcome notRun(RecordRun run, Conclusion conclusion, Outcome.Submits.End why) {
    if (!conclusion.conclude(clock.nanos())) {
      return Outcome.SUCCESS;
    }
    run.binding.state().attemptNotBegun();
    boolean expired = why == Outcome.Submits.End.EXPIRED;
    if (run.stale()) {
      history.record(run, HistoryEvent.FAILED, "STALE");
    } else if (run.hasEffects(
        expired ? TaskResult.Outcome.EXPIRED : TaskResult.Outcome.CANCELLED, run.attempt() - 1)) {
      return new Outcome.Submits(why);
    } else {
      history.record(run, expired ? HistoryEvent.EXPIRED : HistoryEvent.CANCELLED, null);
    }
    return expired ? Outcome.EXPIRED : Outcome.CANCELLED;
  }

  /** It ends without an attempt and without an answer, but its batch counts it. */
  private Outcome countedDuplicate(RecordRun run, Conclusion conclusion) {
    if (!conclusion.conclude(clock.nanos())) {
      return Outcome.SUCCESS;
    }
    run.binding.state().attemptNotBegun();
    return new Outcome.Submits(Outcome.Submits.End.DUPLICATE);
  }

  /** Somebody put it into the queue before its time: it waits for that. */
  private Outcome early(RecordRun run, Conclusion conclusion, long millis) {
    if (!conclusion.conclude(clock.nanos())) {
      return Outcome.SUCCESS;
    }
    run.binding.state().attemptNotBegun();
    long nanos = TimeUnit.MILLISECONDS.toNanos(millis);
    return run.queue.letsPass(nanos)
        ? new Outcome.Later(nanos, false)
        : new Outcome.Retry(nanos, false);
  }

  /** Nobody could say when its batch is over. */
  private Outcome notCountable(RecordRun run, Conclusion conclusion) {
    if (!conclusion.conclude(clock.nanos())) {
      return Outcome.SUCCESS;
    }
    run.binding.state().attemptNotBegun();
    return new Outcome.Dead(
        "it was not run",
        new PermanentTaskException(
            "The task belongs to batch "
                + run.batch()
                + ", and its end could not be counted exactly: set 'effects: transactional' for"
                + " queue "
                + run.queue.name()
                + " (--effects transactional), and redrive it"));
  }

  /** The lease ended between the decision and the start: the task waits for the next one. */
  private Outcome notBegun(RecordRun run, Conclusion conclusion) {
    if (conclusion.conclude(clock.nanos())) {
      run.binding.state().attemptNotBegun();
      return new Outcome.Retry(0, false);
    }
    return Outcome.SUCCESS;
  }

  private Outcome succeeded(RecordRun run, long nanos) {
    run.binding.state().attemptEnded(Limit.Ending.SUCCESS, nanos, null);
    if (run.stale()) {
      history.record(run, HistoryEvent.FAILED, "STALE");
    } else {
      // Before the engine knows: the next task of the key may start as soon as it does.
      history.record(run, HistoryEvent.DONE, null);
    }
    return Outcome.SUCCESS;
  }

  /** It is done once these are published. */
  private static Outcome submits(RecordRun run, long nanos) {
    run.binding.state().attemptEnded(Limit.Ending.SUCCESS, nanos, null);
    return new Outcome.Submits(Outcome.Submits.End.DONE);
  }

  private Outcome failed(RecordRun run, Throwable thrown, long nanos) {
    run.dropEffects();
    Throwable failure = thrown;
    FailureClass kind = run.binding.failures().classify(failure);
    if (run.timedOut()) {
      kind = FailureClass.RETRY;
      failure = new HandlerTimeoutException(timeoutText(run, nanos), thrown);
    } else if (run.cancelled() && kind == FailureClass.RETRY) {
      kind = FailureClass.INTERRUPTED;
    }
    Limit.Ending ending =
        kind == FailureClass.RETRY || kind == FailureClass.FAIL
            ? Limit.Ending.FAILURE
            : Limit.Ending.IGNORED;
    run.binding.state().attemptEnded(ending, nanos, failure, run.attempt() == 1);
    if (kind == FailureClass.BACKPRESSURE) {
      run.binding.hold().holdFor(run.binding.failures().retryAfterNanos(failure), clock.nanos());
    }
    if (run.firstFailureAtMillis == 0 && ending == Limit.Ending.FAILURE) {
      run.firstFailureAtMillis = clock.epochMillis();
    }
    RetryDecision decision = run.binding.failures().decide(kind, failure, run.attempt());
    if (LOG.isDebugEnabled()) {
      LOG.debug("Attempt {} of task {} failed: {}", run.attempt(), run.id(), kind, failure);
    }
    if (decision instanceof RetryDecision.RetryAfter retry) {
      if (run.queue.letsPass(retry.delayNanos()) && !run.stale()) {
        return new Outcome.Later(retry.delayNanos(), retry.attemptUsed());
      }
      history.record(run, HistoryEvent.FAILED, errorText(run, kind, failure));
      return new Outcome.Retry(retry.delayNanos(), retry.attemptUsed());
    }
    return new Outcome.Dead(((RetryDecision.DeadLetter) decision).why(), failure);
  }

  private static String errorText(RecordRun run, FailureClass kind, Throwable failure) {
    if (run.stale()) {
      return "STALE";
    }
    return kind == FailureClass.INTERRUPTED ? "INTERRUPTED" : failure.getClass().getName();
  }

  private static String timeoutText(RecordRun run, long nanos) {
    return "The handler '"
        + run.binding.state().type()
        + "' of queue "
        + run.queue.name()
        + " ran for "
        + Duration.ofNanos(nanos).toMillis()
        + " ms with task "
        + run.id()
        + " and was interrupted; its time-out is "
        + Duration.ofNanos(run.binding.timeoutNanos()).toMillis()
        + " ms. Raise the handler's timeout"
        + " or make it faster.";
  }

  /** A record is the second one of a task: it is not run. */
  void duplicate(RecordRun run) {
    history.record(run, HistoryEvent.DUPLICATE, null);
    LOG.debug("{} is the second record of task {}", TaskCodec.origin(run.record), run.id());
  }

  @Override
  public long timeoutNanos(TaskRun run) {
    return ((RecordRun) run).binding.timeoutNanos();
  }

  @Override
  public Outcome.Dead hung(TaskRun taskRun, long nanos) {
    RecordRun run = (RecordRun) taskRun;
    HandlerHungException failure =
        new HandlerHungException(
            "The handler did not return after its interruption; its thread was given up. "
                + timeoutText(run, nanos));
    LOG.error("{}", failure.getMessage());
    return new Outcome.Dead("the handler never returned", failure);
  }

  @Override
  public void slow(TaskRun taskRun, long nanos, long usualNanos) {
    RecordRun run = (RecordRun) taskRun;
    LOG.warn(
        "[worker={}] Task {} of {} ({}) has been with handler '{}' for {} s, where {} ms are usual;"
            + " its time-out is {} s{}",
        run.queue.worker(),
        run.id(),
        run.queue.name(),
        TaskCodec.origin(run.record),
        run.binding.state().type(),
        Duration.ofNanos(nanos).toSeconds(),
        Duration.ofNanos(usualNanos).toMillis(),
        Duration.ofNanos(run.binding.timeoutNanos()).toSeconds(),
        run.progress().isEmpty() ? "" : "; it says: " + run.progress());
  }

  @Override
  public void dropped(TaskRun run) {
    history.record((RecordRun) run, HistoryEvent.FAILED, "STALE");
  }

  @Override
  public void leave(TaskRun run, Outcome.Leaving why) {
    leaving.accept((RecordRun) run, why);
  }
}
