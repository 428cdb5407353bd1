// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.flow.ledger.DoneRanges;

/**
 * A partition that was given to this worker, and where it stands.
 *
 * @param queue that it belongs to
 * @param topic its topic
 * @param partition its number
 * @param level the priority of its tasks
 * @param position the offset to read from
 * @param committedPosition the committed offset, negative where there is none
 * @param restored what is done above the position
 * @param laneCapacity the most tasks in its lane
 * @param shelfCapacity the most tasks behind waiting ones of their keys whose places are kept and
 *     not their records; 0 if their order does not let others pass
 * @param pollRecordsMax the most records that one poll brings
 * @param uncommittedMax the most completions that no acknowledged commit covers
 */
public record Assignment(
    QueueState queue,
    String topic,
    int partition,
    int level,
    long position,
    long committedPosition,
    DoneRanges restored,
    int laneCapacity,
    int shelfCapacity,
    int pollRecordsMax,
    int uncommittedMax) {}
