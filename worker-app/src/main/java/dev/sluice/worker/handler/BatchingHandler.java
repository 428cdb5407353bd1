// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import dev.sluice.BatchHandler;
import dev.sluice.BatchItem;
import dev.sluice.RetriableTaskException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Gathers tasks until there are enough or the first has waited long enough, and has one of their
 * threads work them all. To the engine each is a task like any other, with a thread, permits, a
 * time-out and an outcome of its own: so limits, order, retries and hand-over need no second form.
 * Thread-safe.
 *
 * @param <T> the type of the payloads
 */
public final class BatchingHandler<T> implements TaskHandler<T> {
  private final int size;
  private final long lingerNanos;
  private final BatchHandler<T> handler;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** What others may join; null if nobody gathers. Guarded by the lock. */
  private @Nullable Gathering<T> open;

  private static final class Gathering<T> {
    final List<Item<T>> items = new ArrayList<>();
    boolean closed;
    boolean led = true;
  }

  private static final class Item<T> implements BatchItem<T> {
    private final Task<T> task;
    private final TaskContext context;
    private volatile @Nullable Exception failure;

    // Guarded by the lock.
    private boolean over;
    private boolean left;

    Item(Task<T> task, TaskContext context) {
      this.task = task;
      this.context = context;
    }

    @Override
    public Task<T> task() {
      return task;
    }

    @Override
    public TaskContext context() {
      return context;
    }

    @Override
    public void fail(Exception why) {
      failure = why;
    }
  }

  /**
   * @param size so many are enough
   * @param linger how long the first one waits for others
   */
  public BatchingHandler(int size, Duration linger, BatchHandler<T> handler) {
    this.size = size;
    this.lingerNanos = linger.toNanos();
    this.handler = handler;
  }

  /** How many tasks it wants at once, each with a thread. */
  public int size() {
    return size;
  }

  @Override
  public void handle(Task<T> task, TaskContext context) throws Exception {
    Item<T> mine = new Item<>(task, context);
    Gathering<T> gathering;
    boolean leads = false;
    lock.lock();
    try {
      Gathering<T> present = open;
      if (present == null) {
        present = new Gathering<>();
        open = present;
        leads = true;
      }
      gathering = present;
      gathering.items.add(mine);
      if (gathering.items.size() >= size) {
        close(gathering);
      }
    } finally {
      lock.unlock();
    }
    if (leads || !awaitOver(gathering, mine)) {
      lead(gathering, mine);
    }
    Exception failure = mine.failure;
    if (failure != null) {
      throw failure;
    }
  }

  private void close(Gathering<T> gathering) {
    gathering.closed = true;
    if (open == gathering) {
      open = null;
    }
    changed.signalAll();
  }

  /** Waits for whoever leads; false if that one has gone, and this one is to lead. */
  private boolean awaitOver(Gathering<T> gathering, Item<T> mine) throws InterruptedException {
    lock.lock();
    try {
      while (!mine.over) {
        if (!gathering.led) {
          gathering.led = true;
          return false;
        }
        changed.await();
      }
      return true;
    } catch (InterruptedException e) {
      mine.left = true;
      throw e;
    } finally {
      lock.unlock();
    }
  }

  private void lead(Gathering<T> gathering, Item<T> mine) throws Exception {
    List<Item<T>> items = gather(gathering, mine);
    try {
      handler.handle(List.copyOf(items));
    } catch (InterruptedException e) {
      failAll(items, new RetriableTaskException("The handler of its batch was interrupted", e));
      throw e;
    } catch (Exception e) {
      failAll(items, e);
    } catch (Error e) {
      failAll(items, new RetriableTaskException("The handler of its batch failed", e));
      throw e;
    } finally {
      lock.lock();
      try {
        items.forEach(item -> item.over = true);
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  /** Those that are worked together: none of those that have left meanwhile. */
  private List<Item<T>> gather(Gathering<T> gathering, Item<T> mine) throws InterruptedException {
    lock.lock();
    try {
      long left = lingerNanos;
      while (!gathering.closed && left > 0) {
        left = changed.awaitNanos(left);
      }
      close(gathering);
      gathering.items.removeIf(item -> item.left);
      return List.copyOf(gathering.items);
    } catch (InterruptedException e) {
      mine.left = true;
      gathering.led = false;
      changed.signalAll();
      throw e;
    } finally {
      lock.unlock();
    }
  }

  private static <T> void failAll(List<Item<T>> items, Exception why) {
    for (Item<T> item : items) {
      if (item.failure == null) {
        item.failure = why;
      }
    }
  }
}
