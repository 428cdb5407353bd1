// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import dev.sluice.history.HistoryEvent;
import org.jspecify.annotations.Nullable;

/**
 * One line of a history file.
 *
 * @param partition -1 where the line names none
 * @param offset -1 where the line names none
 * @param mono nanoseconds of the machine's monotonic clock, comparable across its processes
 */
record HistoryLine(
    HistoryEvent event,
    String id,
    @Nullable String key,
    @Nullable String queue,
    int partition,
    long offset,
    int attempt,
    @Nullable String incarnation,
    long mono,
    @Nullable String error) {}
