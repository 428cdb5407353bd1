// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.thread;

import java.util.concurrent.locks.ReentrantLock;

/**
 * The lock of one engine. It is held for a few microseconds at a time, so whoever finds it taken
 * tries again for about as long before it lets itself be put to sleep.
 */
public final class EngineLock extends ReentrantLock {
  private static final long serialVersionUID = 1L;
  private static final int SPINS = 64;

  @Override
  public void lock() {
    for (int i = 0; i < SPINS; i++) {
      if (tryLock()) {
        return;
      }
      Thread.onSpinWait();
    }
    super.lock();
  }
}
