// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.fleet.CancelWish;
import dev.sluice.flow.ledger.Ledger;
import dev.sluice.history.HistoryWriter;
import dev.sluice.time.Clock;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.engine.HandlerLoad;
import dev.sluice.worker.engine.PartitionState;
import dev.sluice.worker.thread.EngineLock;
import dev.sluice.worker.thread.HandlerThreads;
import dev.sluice.worker.thread.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Everything around one engine, wired: poll loop, handler threads, dead letters. Thread-safe. */
public final class GroupRim implements Runnable {
  private static final long LONG_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final EngineLock lock = new EngineLock();
  private final Engine engine;
  private final Clock clock;
  private final PollCounters counters = new PollCounters();
  private final LedgerOverflow overflow;
  private final LeavingTasks leaving;
  private final @Nullable TransactionalEffects transactions;
  private final HandlerThreads threads;
  private final PollLoop loop;
  private volatile boolean stopping;

  /**
   * @param producerProperties for the writer of dead letters and delayed retries
   * @param delays where tasks wait that let others pass
   * @param threadsMax the most handler threads that work at once
   * @param stopWorker asks for the end of the whole worker; does not wait for it
   */
  public GroupRim(
      PollSettings settings,
      Engine engine,
      Map<String, Object> producerProperties,
      DelayRoute delays,
      int threadsMax,
      ThreadFactory factory,
      Clock clock,
      @Nullable HistoryWriter history,
      Runnable stopWorker) {
    this.engine = engine;
    this.clock = clock;
    this.overflow = settings.overflow();
    RunHistory runs = new RunHistory(history);
    this.leaving =
        new LeavingTasks(producerProperties, settings.worker(), clock, runs, delays, this::left);
    HandlerAttempts attempts = new HandlerAttempts(clock, runs, this::leave, stopWorker);
    this.threads =
        new HandlerThreads(engine, lock, attempts, threadsMax, factory, clock, this::afterVisit);
    LoopState state =
        new LoopState(settings, engine, lock, threads, clock, counters, producerProperties);
    this.transactions =
        settings.queues().stream().anyMatch(queue -> queue.state().transactional())
            ? new TransactionalEffects(producerProperties, state, runs, leaving, this::ended)
            : null;
    this.loop = new PollLoop(state, attempts::duplicate, transactions);
  }

  @Override
  public void run() {
    try {
      loop.run();
    } finally {
      stopThreads();
      if (transactions != null) {
        transactions.close();
      }
      leaving.close();
      overflow.close();
    }
  }

  /** What a task has submitted into its own queue waits for room there, and the task with it. */
  private void leave(RecordRun run, Outcome.Leaving why) {
    if (why instanceof Outcome.Submits submits && submits.ran() && run.children() > 0) {
      run.queue.room().ask(run, () -> write(run, why));
    } else {
      write(run, why);
    }
  }

  private void write(RecordRun run, Outcome.Leaving why) {
    TransactionalEffects writer = transactions;
    if (writer != null
        && why instanceof Outcome.Submits submits
        && submits.ran()
        && run.assignment().transactional()) {
      writer.write(run, Engine.Left.DONE);
    } else {
      leaving.write(run, why);
    }
  }

  private void afterVisit() {
    loop.afterVisit();
  }

  /** A task has left its lane; where its batch counts it, that is not all yet. */
  private void left(RecordRun run, Engine.Left where) {
    TransactionalEffects writer = transactions;
    if (writer != null && where != Engine.Left.LATER && run.isCounted() && !run.stale()) {
      writer.write(run, where);
    } else {
      ended(run, where);
    }
  }

  private void ended(RecordRun run, Engine.Left where) {
    if (run.children() > 0) {
      run.queue.room().left(run);
    }
    lock.lock();
    try {
      engine.left(run, where);
      threads.wake(clock.nanos());
      loop.afterVisit();
    } finally {
      lock.unlock();
    }
  }

  private void stopThreads() {
    lock.lock();
    try {
      threads.stop();
    } finally {
      lock.unlock();
    }
  }

  /** The state of the engine, as an immutable copy. */
  public EngineSnapshot snapshot() {
    lock.lock();
    try {
      return engine.snapshot(clock.nanos());
    } finally {
      lock.unlock();
    }
  }

  /** The attempts that run for a second or longer, the longest first. */
  public List<RunningTask> longest(int most) {
    List<RunningTask> running = new ArrayList<>();
    lock.lock();
    try {
      threads.longest(
          LONG_NANOS,
          most,
          clock.nanos(),
          (taskRun, nanos) -> {
            RecordRun run = (RecordRun) taskRun;
            running.add(
                new RunningTask(
                    run.id(),
                    run.queue.name(),
                    run.handler().type(),
                    run.attempt(),
                    nanos,
                    run.progress()));
          });
    } finally {
      lock.unlock();
    }
    return running;
  }

  /** How much each handler has to do. */
  public List<HandlerLoad> loads() {
    lock.lock();
    try {
      return engine.loads();
    } finally {
      lock.unlock();
    }
  }

  /** An operator paused or resumed a queue. */
  public void pause(String queue, boolean paused) {
    lock.lock();
    try {
      engine.pause(queue, paused);
      threads.wake(clock.nanos());
      loop.afterVisit();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Somebody wants some tasks not to run: tells the handlers of those that have one. Looks at every
   * task that is here, once for all of them.
   *
   * @return what has become of those that are here, by id
   */
  public Map<String, CancelWish.State> cancel(Set<String> ids) {
    Map<String, CancelWish.State> found = new HashMap<>();
    lock.lock();
    try {
      for (PartitionState partition : engine.partitions()) {
        for (Ledger.Entry entry = partition.ledger().first();
            entry != null;
            entry = entry.after()) {
          if (entry instanceof RecordRun run && ids.contains(run.id())) {
            found.put(run.id(), cancel(run));
          }
        }
      }
      return found;
    } finally {
      lock.unlock();
    }
  }

  private static CancelWish.State cancel(RecordRun run) {
    if (run.leaving()) {
      return CancelWish.State.TOO_LATE;
    }
    if (run.running()) {
      run.cancel();
      return CancelWish.State.TOLD;
    }
    return CancelWish.State.CANCELLED; // its turn comes, and it ends then without being run
  }

  /** The fleet granted something: what waited for it may start. */
  public void fleetGranted() {
    lock.lock();
    try {
      engine.fleetGranted();
      threads.wake(clock.nanos());
      loop.afterVisit();
    } finally {
      lock.unlock();
    }
  }

  /** Somebody waits for a task. */
  public void lookAgain() {
    lock.lock();
    try {
      engine.lookAgain();
      threads.wake(clock.nanos());
      loop.afterVisit();
    } finally {
      lock.unlock();
    }
  }

  /** Threads that are stuck in handlers. */
  public int hung() {
    lock.lock();
    try {
      return threads.hung();
    } finally {
      lock.unlock();
    }
  }

  /** Asks for the end: running handlers have the hand-over time. */
  public void stop() {
    stopping = true;
    loop.stop();
  }

  /** Lets it end by itself once everything in its topics is done and committed. */
  public void stopWhenEmpty() {
    loop.stopWhenEmpty();
  }

  /** Whether the group has given this worker its share at least once. */
  public boolean joined() {
    return loop.joined();
  }

  /** Whether the end was asked for. */
  public boolean stopping() {
    return stopping;
  }

  /** Whether it ended because too many handlers never returned. */
  public boolean gaveUp() {
    return loop.gaveUp();
  }

  /** What the poll loop counts. */
  public PollCounters counters() {
    return counters;
  }
}
