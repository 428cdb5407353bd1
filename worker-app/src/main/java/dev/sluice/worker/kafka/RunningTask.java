// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

/**
 * An attempt that is under way.
 *
 * @param id of the task
 * @param type of the handler
 * @param nanos how long it has run
 * @param progress what it said of itself last; empty if nothing
 */
public record RunningTask(
    String id, String queue, String type, int attempt, long nanos, String progress) {}
