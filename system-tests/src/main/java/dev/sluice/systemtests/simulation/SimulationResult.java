// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

/**
 * What one run came to. Rates are those of its last calm seconds.
 *
 * @param seed that repeats it
 * @param violation the first promise that was broken; empty if none was
 * @param startsPerSecond starts of the fleet
 * @param drainedPerSecond tasks of the queue that ended
 * @param utilization how much of what the queue could drain it drained
 * @param startFairness Jain's index over the workers' starts
 * @param admitFairness Jain's index over the producers' admitted tasks
 * @param messagesPerProcess control records sent and received, per second and process
 * @param takeOvers how often somebody became the coordinator
 * @param maxRunning the most tasks that ran at once
 * @param maxBacklog the most tasks in the queue
 * @param coordinatorSeconds real time spent in the coordinator
 * @param virtualSeconds how long the run was
 * @param hash over all that happened: the same seed has the same
 */
public record SimulationResult(
    long seed,
    String violation,
    double startsPerSecond,
    double drainedPerSecond,
    double utilization,
    double startFairness,
    double admitFairness,
    double messagesPerProcess,
    int takeOvers,
    long maxRunning,
    long maxBacklog,
    double coordinatorSeconds,
    double virtualSeconds,
    long hash) {}
