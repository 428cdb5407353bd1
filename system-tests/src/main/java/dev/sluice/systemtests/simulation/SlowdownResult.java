// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

/**
 * How admission followed a slow-down of the workers and their recovery.
 *
 * @param seed that repeats it
 * @param violation the first promise that was broken; empty if none was
 * @param fullRate what the queue drains per second at its best
 * @param admittedBefore admitted per second before
 * @param believedRate what the coordinator takes for the drain rate 2 s after the slow-down
 * @param admittedSoon admitted per second from 2 s after the slow-down on, for 3 s: none while what
 *     is in the queue too much is drained
 * @param admittedSlow admitted per second once settled
 * @param delaySeconds the delay 9 target delays and 3 s after the slow-down
 * @param settledSeconds when the delay was within 35 % of the target for good, after the slow-down
 * @param targetSeconds the delay that it should be
 * @param drainedAfter drained per second from 3 s after the recovery on
 * @param maxBacklog the most tasks in the queue
 */
public record SlowdownResult(
    long seed,
    String violation,
    double fullRate,
    double admittedBefore,
    double believedRate,
    double admittedSoon,
    double admittedSlow,
    double delaySeconds,
    double settledSeconds,
    double targetSeconds,
    double drainedAfter,
    long maxBacklog) {}
