// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.fleet.LimitKey;
import dev.sluice.fleet.kafka.FleetMember;
import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.fleet.FleetView;
import dev.sluice.worker.kafka.RunningTask;
import java.util.List;

/** The state of a worker as JSON. */
final class WorkerJson {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Of each consumer group. */
  private static final int RUNNING_MAX = 20;

  private WorkerJson() {}

  static String of(String worker, List<GroupWorker> groups, FleetView view, FleetMember member) {
    ObjectNode root = MAPPER.createObjectNode();
    root.put("worker", worker);
    ArrayNode partitions = root.putArray("partitions");
    ArrayNode handlers = root.putArray("handlers");
    ArrayNode running = root.putArray("running");
    ArrayNode unconfirmed = root.putArray("unconfirmed");
    int hung = 0;
    int keys = 0;
    long bytes = 0;
    for (GroupWorker group : groups) {
      EngineSnapshot snapshot = group.snapshot();
      if (snapshot.suspended()) {
        unconfirmed.add(group.group());
      }
      hung += group.hung();
      keys += snapshot.keys();
      bytes += snapshot.bytes();
      snapshot.partitions().forEach(p -> add(partitions.addObject(), p));
      for (RunningTask task : group.longest(RUNNING_MAX)) {
        running
            .addObject()
            .put("id", task.id())
            .put("queue", task.queue())
            .put("type", task.type())
            .put("attempt", task.attempt())
            .put("millis", Worker.nanosToMillis(task.nanos()))
            .put("progress", task.progress());
      }
      snapshot.handlers().forEach(h -> add(handlers.addObject(), h));
    }
    root.put("bytes", bytes).put("keys", keys).put("hung", hung);
    ObjectNode fleet = root.putObject("fleet");
    fleet.put("incarnation", member.identity().incarnation());
    fleet.put("coordinating", member.counters().coordinating());
    fleet.put("trouble", member.trouble());
    ArrayNode limits = fleet.putArray("limits");
    for (FleetView.Line line : view.limits()) {
      ObjectNode limit = limits.addObject();
      limit.put("limit", line.limit());
      if (line.kind() == LimitKey.Kind.RATE) {
        limit.put("perSecond", line.share().milliRate() / 1_000.0);
        limit.put("burst", line.share().units());
      } else {
        limit.put("slots", line.share().units()).put("inUse", line.inUse());
      }
    }
    return root.toString();
  }

  private static void add(ObjectNode node, EngineSnapshot.PartitionView p) {
    node.put("queue", p.queue()).put("topic", p.topic()).put("partition", p.partition());
    node.put("laneDepth", p.laneDepth()).put("maxLaneDepth", p.laneDepthMax());
    node.put("laneCapacity", p.laneCapacity()).put("laneBytes", p.laneBytes());
    node.put("running", p.running()).put("ready", p.ready());
    node.put("retryWaiting", p.retryWaiting());
    node.put("position", p.position()).put("uncommitted", p.uncommitted());
    node.put("pauses", p.pauses());
    ArrayNode paused = node.putArray("paused");
    p.pausedNanos()
        .forEach(
            (reason, nanos) ->
                paused
                    .addObject()
                    .put("reason", reason.name())
                    .put("sinceMillis", Worker.nanosToMillis(nanos))
                    .put("clearedBy", reason.clearedBy()));
  }

  private static void add(ObjectNode node, EngineSnapshot.HandlerView h) {
    node.put("queue", h.queue()).put("type", h.type()).put("ready", h.ready());
    node.put("started", h.started()).put("succeeded", h.succeeded()).put("failed", h.failed());
    node.put("interrupted", h.interrupted()).put("dead", h.dead()).put("stale", h.stale());
    node.put("expired", h.expired())
        .put("cancelled", h.cancelled())
        .put("duplicate", h.duplicate())
        .put("slow", h.slow());
    node.put("hung", h.hung()).put("maxMillis", Worker.nanosToMillis(h.nanosMax()));
  }
}
