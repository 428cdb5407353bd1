// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.history.HistoryEvent;
import dev.sluice.history.HistoryWriter;
import org.jspecify.annotations.Nullable;

/** Writes down what becomes of runs, where somebody wants a history. Thread-safe. */
final class RunHistory {
  private final @Nullable HistoryWriter writer;

  /**
   * @param writer null if nobody wants one
   */
  RunHistory(@Nullable HistoryWriter writer) {
    this.writer = writer;
  }

  void record(RecordRun run, HistoryEvent event, @Nullable String error) {
    HistoryWriter to = writer;
    if (to != null) {
      to.task(
          event,
          run.id(),
          run.record.key(),
          run.historyQueue(),
          run.record.partition(),
          run.record.offset(),
          run.attempt(),
          error);
    }
  }
}
