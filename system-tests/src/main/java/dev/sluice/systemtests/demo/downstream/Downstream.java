// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.demo.downstream;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sluice.flow.limit.TokenBucket;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A service on this machine that can take so many requests per second and so many at once, and
 * answers 429 when it is pushed past that. A request takes a while; the service can be slowed down.
 */
final class Downstream implements AutoCloseable {
  private static final int THREADS = 96;
  private static final int WAITING = 512;

  /** What the network adds to a limit that its callers keep. */
  private static final double TOLERANCE = 1.05;

  private final HttpServer server;
  private final ThreadPoolExecutor threads;
  private final int atOnce;
  private final TokenBucket bucket;
  private final CountDownLatch never = new CountDownLatch(1);
  private final AtomicLong served = new AtomicLong();
  private final AtomicLong rejected = new AtomicLong();
  private volatile long serviceMillis;
  private int now;
  private int most;

  /**
   * Starts it on a free port of the loopback.
   *
   * @param perSecond requests per second that it can take
   * @param atOnce requests at once that it can take
   * @param serviceMillis how long one takes
   */
  Downstream(int perSecond, int atOnce, long serviceMillis) {
    this.atOnce = atOnce;
    this.serviceMillis = serviceMillis;
    long burst = atOnce + Math.max(2, atOnce / 4);
    this.bucket = new TokenBucket(perSecond * TOLERANCE, burst, SystemClock.INSTANCE.nanos());
    try {
      this.server =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), WAITING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.threads =
        new ThreadPoolExecutor(
            THREADS, THREADS, 1, TimeUnit.MINUTES, new ArrayBlockingQueue<>(WAITING));
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/work";
  }

  /** From now on a request takes so long. */
  void slow(long millis) {
    serviceMillis = millis;
  }

  long served() {
    return served.get();
  }

  long rejected() {
    return rejected.get();
  }

  synchronized int mostAtOnce() {
    return most;
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.getRequestBody().readAllBytes();
      if (!enter()) {
        rejected.incrementAndGet();
        exchange.sendResponseHeaders(429, -1);
        return;
      }
      try {
        boolean ignored = never.await(serviceMillis, TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        leave();
      }
      served.incrementAndGet();
      exchange.sendResponseHeaders(204, -1);
    }
  }

  private synchronized boolean enter() {
    if (now >= atOnce || bucket.tryAcquire(1, SystemClock.INSTANCE.nanos()) != 0) {
      return false;
    }
    now++;
    most = Math.max(most, now);
    return true;
  }

  private synchronized void leave() {
    now--;
  }

  @Override
  public void close() {
    never.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
