// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import java.util.ArrayList;
import java.util.List;

/** One queue in one worker: how many of its tasks may run at once, and its handlers. */
public final class QueueState {
  final String name;
  final int concurrency;
  final List<HandlerState> handlers = new ArrayList<>();
  int running;

  /**
   * @param name of the queue
   * @param concurrency the most threads that work its tasks at once; at least 1
   */
  public QueueState(String name, int concurrency) {
    this.name = name;
    this.concurrency = concurrency;
  }

  /** The name of the queue. */
  public String name() {
    return name;
  }

  /** The most threads that work its tasks at once. */
  public int concurrency() {
    return concurrency;
  }

  /** Threads that have tasks of it; to be used under the engine's lock. */
  public int running() {
    return running;
  }

  /** Whether every handler that has ready tasks is held back, and at least one is. */
  int heldReasons(long nowNanos) {
    int reasons = 0;
    for (HandlerState handler : handlers) {
      if (handler.ready.size() > 0) {
        int held = handler.heldReason(nowNanos);
        if (held == 0) {
          return 0;
        }
        reasons |= held;
      }
    }
    return reasons;
  }
}
