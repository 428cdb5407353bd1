// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.demo;

/**
 * What the demo measured and checked.
 *
 * @param tasks files that were offered
 * @param completed tasks with a result
 * @param lost accepted tasks with neither a result nor a dead letter
 * @param duplicated tasks that were completed more than once
 * @param dead dead letters
 * @param wrong results that differ from the digest computed independently
 * @param pauses times that a partition was paused
 * @param maxLaneDepth the most tasks that a lane held
 * @param laneCapacity the most that it may hold
 * @param seconds from the first task to the last result
 * @param tasksPerSecond completed per second
 */
public record DemoSummary(
    int tasks,
    int completed,
    int lost,
    int duplicated,
    int dead,
    int wrong,
    long pauses,
    int maxLaneDepth,
    int laneCapacity,
    double seconds,
    double tasksPerSecond) {
  /** Whether everything held that the demo promises. */
  public boolean holds() {
    return tasks > 0
        && completed == tasks
        && lost == 0
        && wrong == 0
        && duplicated == 0
        && maxLaneDepth <= laneCapacity;
  }
}
