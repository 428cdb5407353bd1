// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.health;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads that answer probes: two, each for a bounded time per request, so that clients that
 * connect and say nothing cannot keep the probes of the platform waiting until it restarts a
 * healthy worker. The interruption closes the connection of such a client. When all are busy, the
 * server accepts no more until one is free.
 */
final class ProbeThreads implements Executor, AutoCloseable {
  private static final int THREADS = 2;
  private static final int WAITING_MAX = 16;

  private final long requestMillisMax;
  private final ThreadPoolExecutor pool;
  private final ScheduledThreadPoolExecutor watch;

  ProbeThreads(long requestMillisMax) {
    this.requestMillisMax = requestMillisMax;
    ThreadFactory factory =
        task -> {
          Thread thread = new Thread(task, "sluice-health");
          thread.setDaemon(true);
          return thread;
        };
    pool =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(WAITING_MAX),
            factory,
            ProbeThreads::waitForRoom);
    watch = new ScheduledThreadPoolExecutor(1, factory);
    watch.setRemoveOnCancelPolicy(true);
  }

  private static void waitForRoom(Runnable request, ThreadPoolExecutor pool) {
    try {
      if (pool.isShutdown()) {
        throw new RejectedExecutionException("the health server is closed");
      }
      pool.getQueue().put(request); // the watch bounds this wait
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RejectedExecutionException("the health server is closed", e);
    }
  }

  @Override
  public void execute(Runnable request) {
    pool.execute(() -> runWatched(request));
  }

  private void runWatched(Runnable request) {
    Watched watched = new Watched(Thread.currentThread());
    ScheduledFuture<?> end = watch.schedule(watched, requestMillisMax, TimeUnit.MILLISECONDS);
    try {
      request.run();
    } finally {
      watched.ended();
      end.cancel(false);
    }
  }

  /** Interrupts a thread that is still at its request, and not at the next one. */
  private static final class Watched implements Runnable {
    private final Thread thread;
    private boolean ended;

    Watched(Thread thread) {
      this.thread = thread;
    }

    @Override
    public synchronized void run() {
      if (!ended) {
        thread.interrupt();
      }
    }

    synchronized void ended() {
      ended = true;
      Thread.interrupted();
    }
  }

  @Override
  public void close() {
    pool.shutdownNow();
    watch.shutdownNow();
  }
}
