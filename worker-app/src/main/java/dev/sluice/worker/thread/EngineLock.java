// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.thread;

import java.util.concurrent.locks.ReentrantLock;

/**
 * The lock of one engine. It is held for a few microseconds at a time, so whoever finds it taken
 * tries again for about as long, and then lets others run a few times, before it lets itself be put
 * to sleep: a holder that was interrupted in between would otherwise have all that come meanwhile
 * put to sleep and woken one by one.
 */
public final class EngineLock extends ReentrantLock {
  private static final long serialVersionUID = 1L;
  private static final int SPINS = 64;

  /** With more threads than processors, its holder often waits for one itself. */
  private static final int YIELDS = 32;

  @Override
  public void lock() {
    for (int i = 0; i < SPINS; i++) {
      if (tryLock()) {
        return;
      }
      Thread.onSpinWait();
    }
    for (int i = 0; i < YIELDS; i++) {
      Thread.yield();
      if (tryLock()) {
        return;
      }
    }
    super.lock();
  }
}
