// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.flow.pause.PauseReason;
import java.util.List;
import java.util.Map;

/**
 * The state of a worker at one moment, for health, metrics and people.
 *
 * @param upNanos how long the engine has existed
 * @param sinceTurnNanos how long ago the poll thread took its last turn
 * @param suspended whether nothing is started because the group may have given this worker's place
 *     away
 * @param bytes bytes of tasks held
 * @param keys keys that have an unfinished task; one for all those that are worked in the order of
 *     their partition
 * @param partitions what is assigned
 * @param handlers what is worked
 */
public record EngineSnapshot(
    long upNanos,
    long sinceTurnNanos,
    boolean suspended,
    long bytes,
    int keys,
    List<PartitionView> partitions,
    List<HandlerView> handlers) {
  public EngineSnapshot {
    partitions = List.copyOf(partitions);
    handlers = List.copyOf(handlers);
  }

  /**
   * One assigned partition.
   *
   * @param queue its queue
   * @param topic its topic
   * @param partition its number
   * @param epoch of the assignment
   * @param laneDepth tasks in the lane, running ones included
   * @param laneDepthMax the most there were
   * @param laneCapacity the most there can be
   * @param laneBytes bytes in the lane
   * @param running tasks with threads
   * @param ready tasks that could start but for their limits
   * @param retryWaiting tasks that wait for their next attempt
   * @param position the offset below which all is done
   * @param uncommitted completions that no acknowledged commit covers
   * @param pausedNanos why it is paused, and how long each reason has held
   * @param pauses how often it was paused
   * @param heldNanos why what is ready does not start, and for how long
   */
  public record PartitionView(
      String queue,
      String topic,
      int partition,
      long epoch,
      int laneDepth,
      int laneDepthMax,
      int laneCapacity,
      long laneBytes,
      int running,
      int ready,
      int retryWaiting,
      long position,
      long uncommitted,
      Map<PauseReason, Long> pausedNanos,
      long pauses,
      Map<PauseReason, Long> heldNanos) {
    static PartitionView of(PartitionState p, long nowNanos) {
      return new PartitionView(
          p.queue.name,
          p.topic,
          p.partition,
          p.epoch,
          p.lane.depth(),
          p.lane.maxDepth(),
          p.lane.capacity(),
          p.lane.bytes(),
          p.running,
          p.ready,
          p.retryWaiting,
          p.ledger.position(),
          p.ledger.uncommitted(),
          p.pauses.heldNanos(nowNanos),
          p.pauses.count(),
          p.ready > 0 ? p.queue.held(nowNanos) : Map.of());
    }
  }

  /**
   * One handler; the counts only grow.
   *
   * @param queue its queue
   * @param type its task type
   * @param ready tasks that wait for a thread or a limit
   * @param started attempts started
   * @param succeeded tasks completed
   * @param failed attempts that failed
   * @param interrupted attempts that were cut off and do not count
   * @param dead tasks dead-lettered
   * @param expired tasks that were not run because their deadline had passed
   * @param cancelled tasks that were not run because somebody has cancelled them
   * @param duplicate tasks that were not run because one of their id came before
   * @param stale completions dropped because their partition was gone
   * @param slow attempts that took far longer than usual: 10 s and 20 times as long
   * @param hung attempts that were given up while their thread was inside
   * @param nanos time spent in the handler
   * @param nanosMax the longest attempt
   */
  public record HandlerView(
      String queue,
      String type,
      int ready,
      long started,
      long succeeded,
      long failed,
      long interrupted,
      long dead,
      long expired,
      long cancelled,
      long duplicate,
      long stale,
      long slow,
      long hung,
      long nanos,
      long nanosMax) {
    static HandlerView of(HandlerState h) {
      HandlerState.Counters c = h.counters;
      return new HandlerView(
          h.queue.name,
          h.type,
          h.ready.size(),
          c.started,
          c.succeeded,
          c.failed,
          c.interrupted,
          c.dead,
          c.expired,
          c.cancelled,
          c.duplicate,
          c.stale,
          c.slow,
          c.hung,
          c.nanos,
          c.nanosMax);
    }
  }

  /** Tasks that are with threads. */
  public int running() {
    return partitions.stream().mapToInt(PartitionView::running).sum();
  }
}
