// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

/** Finishes a bounded wait although the thread is interrupted: what is closed must be closed. */
final class Uninterrupted {
  private Uninterrupted() {}

  /** A wait that starts over when it is called again. */
  interface Wait {
    void run() throws InterruptedException;
  }

  /** Waits to the end, and leaves the thread interrupted if it was. */
  static void run(Wait wait) {
    boolean interrupted = Thread.interrupted();
    try {
      while (true) {
        try {
          wait.run();
          return;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
