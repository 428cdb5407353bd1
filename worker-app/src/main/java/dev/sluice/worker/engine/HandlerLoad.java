// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

/**
 * How much one handler has to do.
 *
 * @param queue its queue
 * @param type its task type
 * @param ready tasks that wait for a thread or a limit
 * @param started attempts started; grows only
 * @param nanos time spent in the handler; grows only
 * @param concurrency the most threads that work the tasks of its queue at once
 */
public record HandlerLoad(
    String queue, String type, int ready, long started, long nanos, int concurrency) {}
