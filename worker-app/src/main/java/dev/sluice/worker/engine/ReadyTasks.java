// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import org.jspecify.annotations.Nullable;

/**
 * The runs of one handler that wait for nothing but a thread and their limits, and who of them is
 * next. A run is in one of these at most.
 */
interface ReadyTasks {
  /** How many there are, those included that may not start yet. */
  int size();

  /** It came from its topic. */
  void addLast(TaskRun run);

  /** It is to be next among its like. */
  void addFirst(TaskRun run);

  /** The task before it of its key has ended. */
  void addReleased(TaskRun run);

  /**
   * Who is to start; null if there is nobody who may. What is polled is started or taken back.
   *
   * @param probe whether it is to find out whether the handler can work again: see {@link Probe}
   */
  @Nullable TaskRun poll(long nowNanos, boolean probe);

  /** What was polled does not start now; it is added again, or is not ready any more. */
  void takenBack(TaskRun run);

  /** What was polled and was not taken back is not with a thread any more. */
  void ended(TaskRun run);

  /**
   * After how long a poll that brought nobody is worth repeating; {@link
   * dev.sluice.flow.limit.Limit#UNTIL_RELEASE} if only the end of a run helps.
   */
  long waitNanos(long nowNanos);

  /** Of two handlers of a queue, the one with the lesser is next. */
  long urgency();

  /** Drops the runs whose partition is gone, so that they do not pile up behind a closed limit. */
  void removeGone();
}
