// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.thread;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import dev.sluice.flow.ledger.DoneRanges;
import dev.sluice.testing.ManualClock;
import dev.sluice.testing.Seeds;
import dev.sluice.time.Clock;
import dev.sluice.time.SystemClock;
import dev.sluice.worker.engine.Assignment;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.engine.HandlerState;
import dev.sluice.worker.engine.Membership;
import dev.sluice.worker.engine.OrderedBy;
import dev.sluice.worker.engine.PartitionState;
import dev.sluice.worker.engine.QueueState;
import dev.sluice.worker.engine.TaskRun;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Threads and engine together, among handlers of every speed and processors that are all busy. */
class HandlerThreadsTest {
  private static final int TASKS = 20_000;
  private static final int LANE = 2_000;
  private static final long PATIENCE_NANOS = Duration.ofSeconds(60).toNanos();

  private static final class Run extends TaskRun {
    final int kind;
    int starts;

    Run(long offset, PartitionState partition, HandlerState handler, OrderedBy order, int kind) {
      super(offset, partition, handler, order, 100);
      this.kind = kind;
    }
  }

  /** Fails some tasks once, and takes its time with others. */
  private static final class Chance implements Attempts {
    final AtomicInteger succeeded = new AtomicInteger();
    final AtomicInteger failed = new AtomicInteger();
    final AtomicInteger overlaps = new AtomicInteger();

    @Override
    public Outcome run(TaskRun taskRun, long startNanos, Conclusion conclusion) {
      Run run = (Run) taskRun;
      run.starts++;
      if (run.kind < 3) {
        long end = startNanos + TimeUnit.MICROSECONDS.toNanos(run.kind * 40L + 10);
        while (SystemClock.INSTANCE.nanos() - end < 0) {
          Thread.onSpinWait();
        }
      } else if (run.kind == 3) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(8));
      }
      if (!conclusion.conclude(SystemClock.INSTANCE.nanos())) {
        overlaps.incrementAndGet();
      }
      if (run.kind % 10 == 4 && run.starts == 1) {
        failed.incrementAndGet();
        return new Outcome.Retry(TimeUnit.MICROSECONDS.toNanos(run.offset() % 7 * 500), true);
      }
      succeeded.incrementAndGet();
      return Outcome.SUCCESS;
    }

    @Override
    public long timeoutNanos(TaskRun run) {
      return Duration.ofMinutes(1).toNanos();
    }

    @Override
    public Outcome.Dead hung(TaskRun run, long nanos) {
      throw new AssertionError("nothing hangs here");
    }

    @Override
    public void dropped(TaskRun run) {
      throw new AssertionError("nothing is lost here");
    }

    @Override
    public void leave(TaskRun run, Outcome.Leaving why) {
      throw new AssertionError("nothing is given up here");
    }
  }

  @Test
  void everyTaskEndsAndEverySlotComesBackHoweverTheThreadsAreScheduled() {
    Seeds.each(6, HandlerThreadsTest::scheduled);
  }

  private static void scheduled(RandomGenerator random) throws InterruptedException {
    EngineLock lock = new EngineLock();
    SystemClock clock = SystemClock.INSTANCE;
    Engine engine = new Engine(1L << 30, membership(10, clock), random.nextLong(), clock.nanos());
    QueueState queue = new QueueState("q", 1 + random.nextInt(8));
    HandlerState handler = new HandlerState(queue, "*", List.of());
    engine.add(handler);
    PartitionState partition =
        engine.assigned(
            new Assignment(
                queue, "t", 0, 0, 0, 0, DoneRanges.NONE, LANE, 0, 100, Integer.MAX_VALUE));
    Chance chance = new Chance();
    HandlerThreads threads =
        new HandlerThreads(
            engine,
            lock,
            chance,
            queue.concurrency(),
            HandlerThreadFactory.platform("handler"),
            clock,
            () -> {});
    int slow = random.nextInt(3);
    SplittableRandom kinds = new SplittableRandom(random.nextLong());
    List<Thread> burners = burners(random.nextInt(6));
    try {
      long offset = 0;
      long deadline = clock.nanos() + PATIENCE_NANOS;
      while (chance.succeeded.get() < TASKS || pending(lock, engine)) {
        assertThat(clock.nanos() - deadline).as("stuck: %s", state(lock, engine)).isNegative();
        lock.lock();
        try {
          engine.turn(clock.nanos());
          threads.watch(clock.nanos());
          if (random.nextInt(10) == 0) {
            threads.takeBackAll(clock.nanos());
          }
          engine.plan(clock.nanos());
          for (int i = 0; i < 100 && offset < TASKS && !partition.pauses().paused(); i++) {
            int kind = slow == 0 ? 10 + kinds.nextInt(100) : kinds.nextInt(1 + 200 / slow);
            byte[] key = {(byte) kinds.nextInt(100)};
            engine.accept(
                new Run(
                    offset++, partition, handler, OrderedBy.of(Order.KEY, partition, key), kind));
          }
          threads.wake(clock.nanos());
        } finally {
          lock.unlock();
        }
        LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(random.nextInt(2_000)));
      }
      assertThat(chance.succeeded).hasValue(TASKS);
      assertThat(chance.overlaps).hasValue(0);
      assertThat(state(lock, engine).partitions().get(0).running()).isZero();
      awaitIdle(lock, threads, deadline);
      assertThat(queue.running()).as("slots that are still taken").isZero();
    } finally {
      burners.forEach(Thread::interrupt);
      lock.lock();
      try {
        threads.stop();
      } finally {
        lock.unlock();
      }
    }
  }

  /** Succeeds at once, but for the task that is let go by the test. */
  private static final class OneWaits implements Attempts {
    final CountDownLatch began = new CountDownLatch(1);
    final CountDownLatch go = new CountDownLatch(1);
    final AtomicInteger ended = new AtomicInteger();
    final List<Long> slow = new ArrayList<>();
    private final Clock clock;

    OneWaits(Clock clock) {
      this.clock = clock;
    }

    @Override
    public Outcome run(TaskRun run, long startNanos, Conclusion conclusion) {
      try {
        if (((Run) run).kind == 1) {
          began.countDown();
          go.await();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      conclusion.conclude(clock.nanos());
      ended.incrementAndGet();
      return Outcome.SUCCESS;
    }

    @Override
    public long timeoutNanos(TaskRun run) {
      return Duration.ofHours(1).toNanos();
    }

    @Override
    public Outcome.Dead hung(TaskRun run, long nanos) {
      throw new AssertionError("nothing hangs here");
    }

    @Override
    public void slow(TaskRun run, long nanos, long usualNanos) {
      slow.add(run.offset());
    }

    @Override
    public void dropped(TaskRun run) {}

    @Override
    public void leave(TaskRun run, Outcome.Leaving why) {}
  }

  @Test
  void anAttemptThatTakesFarLongerThanUsualIsNamedOnce() throws InterruptedException {
    EngineLock lock = new EngineLock();
    ManualClock clock = new ManualClock(1_000, 1_000);
    Engine engine = new Engine(1L << 30, membership(600, clock), 1, clock.nanos());
    QueueState queue = new QueueState("q", 2);
    HandlerState handler = new HandlerState(queue, "*", List.of());
    engine.add(handler);
    PartitionState partition =
        engine.assigned(
            new Assignment(
                queue, "t", 0, 0, 0, 0, DoneRanges.NONE, LANE, 0, 100, Integer.MAX_VALUE));
    OneWaits attempts = new OneWaits(clock);
    HandlerThreads threads =
        new HandlerThreads(
            engine, lock, attempts, 2, HandlerThreadFactory.platform("handler"), clock, () -> {});
    try {
      accept(lock, threads, engine, new Run(0, partition, handler, key(partition, 0), 0), clock);
      while (attempts.ended.get() == 0 || pending(lock, engine)) {
        Thread.onSpinWait();
      }
      accept(lock, threads, engine, new Run(1, partition, handler, key(partition, 1), 1), clock);
      assertThat(attempts.began.await(60, TimeUnit.SECONDS)).isTrue();
      watch(lock, threads, clock, Duration.ofSeconds(9));
      assertThat(attempts.slow).isEmpty();
      watch(lock, threads, clock, Duration.ofSeconds(2));
      watch(lock, threads, clock, Duration.ofSeconds(50));
      assertThat(attempts.slow).containsExactly(1L);
      lock.lock();
      try {
        assertThat(engine.snapshot(clock.nanos()).handlers().get(0).slow()).isEqualTo(1);
      } finally {
        lock.unlock();
      }
    } finally {
      attempts.go.countDown();
      lock.lock();
      try {
        threads.stop();
      } finally {
        lock.unlock();
      }
    }
  }

  /** The process stands still after a thread was given a task and before it has begun it. */
  @Test
  void whatWasGivenBeforeTheProcessStoodStillDoesNotBeginAfterwards() {
    EngineLock lock = new EngineLock();
    ManualClock clock = new ManualClock(1_000, 1_000);
    Engine engine =
        new Engine(
            1L << 30,
            new Membership(Duration.ofSeconds(6).toNanos(), clock.nanos()),
            1,
            clock.nanos());
    QueueState queue = new QueueState("q", 1);
    HandlerState handler = new HandlerState(queue, "*", List.of());
    engine.add(handler);
    PartitionState partition =
        engine.assigned(
            new Assignment(
                queue, "t", 0, 0, 0, 0, DoneRanges.NONE, LANE, 0, 100, Integer.MAX_VALUE));
    OneWaits attempts = new OneWaits(clock);
    AtomicInteger visits = new AtomicInteger();
    Runnable standStillOnce =
        () -> {
          if (visits.incrementAndGet() == 1) {
            clock.advance(Duration.ofSeconds(8));
          }
        };
    HandlerThreads threads =
        new HandlerThreads(
            engine,
            lock,
            attempts,
            1,
            HandlerThreadFactory.platform("handler"),
            clock,
            standStillOnce);
    try {
      accept(lock, threads, engine, new Run(0, partition, handler, key(partition, 0), 0), clock);
      awaitIdle(lock, threads, SystemClock.INSTANCE.nanos() + PATIENCE_NANOS);
      assertThat(visits).hasValue(2);
      assertThat(attempts.ended).hasValue(0);
      assertThat(state(lock, engine).suspended()).isTrue();
      assertThat(state(lock, engine).partitions().get(0).running()).isZero();
      lock.lock();
      try {
        engine.turn(clock.nanos());
        engine.proven(clock.nanos());
        threads.wake(clock.nanos());
      } finally {
        lock.unlock();
      }
      awaitIdle(lock, threads, SystemClock.INSTANCE.nanos() + PATIENCE_NANOS);
      assertThat(attempts.ended).hasValue(1);
    } finally {
      lock.lock();
      try {
        threads.stop();
      } finally {
        lock.unlock();
      }
    }
  }

  private static Membership membership(long sessionMinutes, Clock clock) {
    return new Membership(Duration.ofMinutes(sessionMinutes).toNanos(), clock.nanos());
  }

  private static OrderedBy key(PartitionState partition, int key) {
    return OrderedBy.of(Order.KEY, partition, new byte[] {(byte) key});
  }

  private static void accept(
      EngineLock lock, HandlerThreads threads, Engine engine, Run run, Clock clock) {
    lock.lock();
    try {
      engine.accept(run);
      threads.wake(clock.nanos());
    } finally {
      lock.unlock();
    }
  }

  private static void watch(
      EngineLock lock, HandlerThreads threads, ManualClock clock, Duration later) {
    clock.advance(later);
    lock.lock();
    try {
      threads.watch(clock.nanos());
    } finally {
      lock.unlock();
    }
  }

  private static void awaitIdle(EngineLock lock, HandlerThreads threads, long deadline) {
    while (true) {
      lock.lock();
      try {
        if (threads.busy() == 0) {
          return;
        }
      } finally {
        lock.unlock();
      }
      assertThat(SystemClock.INSTANCE.nanos() - deadline).as("a thread is lost").isNegative();
      Thread.yield();
    }
  }

  private static boolean pending(EngineLock lock, Engine engine) {
    return state(lock, engine).partitions().get(0).laneDepth() > 0;
  }

  private static EngineSnapshot state(EngineLock lock, Engine engine) {
    lock.lock();
    try {
      return engine.snapshot(SystemClock.INSTANCE.nanos());
    } finally {
      lock.unlock();
    }
  }

  /** Keep the processors busy, so that threads are held up anywhere. */
  private static List<Thread> burners(int count) {
    List<Thread> burners = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Thread burner =
          new Thread(
              () -> {
                while (!Thread.currentThread().isInterrupted()) {
                  Thread.onSpinWait();
                }
              },
              "burner");
      burner.setDaemon(true);
      burner.start();
      burners.add(burner);
    }
    return burners;
  }
}
