// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.kafka;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Calls something again and again, on a daemon thread of its own, until it is closed. */
public final class Ticker implements AutoCloseable {
  private final CountDownLatch over = new CountDownLatch(1);

  /**
   * Starts it.
   *
   * @param tick must not throw
   */
  public Ticker(String name, long everyMillis, Runnable tick) {
    Thread thread =
        new Thread(
            () -> {
              try {
                while (!over.await(everyMillis, TimeUnit.MILLISECONDS)) {
                  tick.run();
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            name);
    thread.setDaemon(true);
    thread.start();
  }

  /** Ends it after the present call, which is not waited for. */
  @Override
  public void close() {
    over.countDown();
  }
}
