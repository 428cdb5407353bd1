// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.demo.downstream;

/**
 * What the story came to.
 *
 * @param flowControl whether Sluice's limits and capacity were on
 * @param tasks accepted from the producers
 * @param completed tasks with a completion
 * @param lost accepted tasks without an end, though everything was worked
 * @param left tasks still in the queue at the end; not 0 only without flow control
 * @param duplicated tasks that ran more often than asked for: what the killed worker was at
 * @param dead tasks that became dead letters
 * @param requests that the downstream got
 * @param downstreamRejected requests that it refused because it was pushed past what it can take
 * @param downstreamUtilization how much of what it can take it served, in the steady parts
 * @param maxBacklog the most tasks in the queue, by the brokers' own offsets
 * @param capacity the most there may be; 0 for no bound
 * @param producerWaitSeconds how long the producers waited for room, together
 * @param maxStartsPerSecond the most starts of the fleet in any second
 * @param maxConcurrent the most tasks of the fleet at once
 * @param handovers how often another worker became the coordinator
 * @param seconds how long it took
 */
record DownstreamSummary(
    boolean flowControl,
    long tasks,
    long completed,
    long lost,
    long left,
    long duplicated,
    long dead,
    long requests,
    long downstreamRejected,
    double downstreamUtilization,
    long maxBacklog,
    long capacity,
    double producerWaitSeconds,
    long maxStartsPerSecond,
    long maxConcurrent,
    long handovers,
    double seconds) {
  private static final double REJECTED_MOST = 0.001;
  private static final double UTILIZATION_LEAST = 0.9;

  /** Whether the promises were kept, and the downstream spared and used. */
  boolean holds() {
    return lost == 0
        && (!flowControl
            || maxBacklog <= capacity
                && downstreamRejected <= REJECTED_MOST * requests
                && downstreamUtilization >= UTILIZATION_LEAST);
  }
}
