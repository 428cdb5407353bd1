// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import dev.sluice.fleet.LimitKey;
import dev.sluice.fleet.kafka.FleetCounters;
import dev.sluice.flow.pause.PauseReason;
import dev.sluice.worker.delay.kafka.DelayCounters;
import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.kafka.PollCounters;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * Binds the state of a worker to a Micrometer registry. Nothing is recorded per task: the engine
 * counts, and the registry asks it when it is scraped.
 */
public final class WorkerMetrics {
  private WorkerMetrics() {}

  /** Registers the meters of all groups and handlers of a worker. */
  public static void bind(Worker worker, MeterRegistry registry) {
    for (GroupWorker group : worker.groups()) {
      Tags tags = Tags.of("messaging.consumer.group.name", group.group());
      gauge(registry, "sluice.worker.partitions", tags, group, s -> s.partitions().size());
      gauge(registry, "sluice.worker.lane.depth", tags, group, WorkerMetrics::depth);
      gauge(registry, "sluice.worker.lane.bytes", tags, group, EngineSnapshot::bytes);
      gauge(registry, "sluice.worker.running", tags, group, EngineSnapshot::running);
      gauge(registry, "sluice.worker.uncommitted", tags, group, WorkerMetrics::uncommitted);
      Gauge.builder("sluice.worker.hung", group, GroupWorker::hung).tags(tags).register(registry);
      Gauge.builder("sluice.worker.leaks", group, g -> g.counters().leaks())
          .tags(tags)
          .register(registry);
      for (PauseReason reason : PauseReason.values()) {
        gauge(
            registry,
            "sluice.worker.partitions.paused",
            tags.and("reason", reason.name()),
            group,
            s -> paused(s, reason));
      }
      counter(registry, "sluice.worker.rebalances", tags, group, PollCounters::rebalances);
      counter(registry, "sluice.worker.commits", tags, group, PollCounters::commits);
      counter(registry, "sluice.worker.commit.failures", tags, group, PollCounters::commitFailures);
      counter(
          registry, "sluice.worker.lost.by.retention", tags, group, PollCounters::lostByRetention);
      for (EngineSnapshot.HandlerView handler : group.snapshot().handlers()) {
        bindHandler(registry, group, handler);
      }
    }
    bindFleet(worker, registry);
    worker.delays().ifPresent(delays -> bindDelays(delays, registry));
  }

  private static void bindDelays(DelayCounters delays, MeterRegistry registry) {
    Gauge.builder("sluice.delays.shards", delays, DelayCounters::shards)
        .strongReference(true)
        .register(registry);
    delays(registry, "sluice.delays.moved", delays, DelayCounters::moved);
    delays(registry, "sluice.delays.cancelled", delays, DelayCounters::cancelled);
    delays(registry, "sluice.delays.failed", delays, DelayCounters::failed);
    FunctionTimer.builder(
            "sluice.delays.lateness",
            delays,
            DelayCounters::delivered,
            DelayCounters::latenessMillis,
            TimeUnit.MILLISECONDS)
        .register(registry);
  }

  private static void delays(
      MeterRegistry registry,
      String name,
      DelayCounters delays,
      ToDoubleFunction<DelayCounters> value) {
    FunctionCounter.builder(name, delays, value).register(registry);
  }

  private static void bindFleet(Worker worker, MeterRegistry registry) {
    fleet(registry, "sluice.fleet.coordinating", worker, c -> c.coordinating() ? 1 : 0);
    fleet(registry, "sluice.fleet.round.trip", worker, FleetCounters::roundTripNanos);
    fleetCount(registry, "sluice.fleet.reports", worker, FleetCounters::reports);
    fleetCount(registry, "sluice.fleet.grants", worker, FleetCounters::grants);
    fleetCount(registry, "sluice.fleet.grants.refused", worker, FleetCounters::refused);
    fleetCount(registry, "sluice.fleet.unreadable", worker, FleetCounters::unreadable);
    for (LimitKey key : worker.fleetLimits()) {
      boolean rate = key.kind() == LimitKey.Kind.RATE;
      Gauge.builder(
              rate ? "sluice.fleet.share.rate" : "sluice.fleet.share.slots",
              worker,
              w -> rate ? w.fleet().milliRate(key) / 1_000.0 : w.fleet().slots(key))
          .tags("limit", key.scope())
          .strongReference(true)
          .register(registry);
    }
  }

  private static void fleet(
      MeterRegistry registry, String name, Worker worker, ToDoubleFunction<FleetCounters> value) {
    Gauge.builder(name, worker, w -> value.applyAsDouble(w.member().counters()))
        .strongReference(true)
        .register(registry);
  }

  private static void fleetCount(
      MeterRegistry registry, String name, Worker worker, ToDoubleFunction<FleetCounters> value) {
    FunctionCounter.builder(name, worker, w -> value.applyAsDouble(w.member().counters()))
        .register(registry);
  }

  private static void bindHandler(
      MeterRegistry registry, GroupWorker group, EngineSnapshot.HandlerView handler) {
    Tags tags = Tags.of("queue", handler.queue(), "type", handler.type());
    // The registry holds what it asks only weakly, so that must be the group, which lives on.
    Function<GroupWorker, EngineSnapshot.HandlerView> view =
        g -> new HandlerNow(g, handler.queue(), handler.type()).view();
    counter(registry, tags.and("outcome", "succeeded"), group, g -> view.apply(g).succeeded());
    counter(registry, tags.and("outcome", "failed"), group, g -> view.apply(g).failed());
    counter(registry, tags.and("outcome", "interrupted"), group, g -> view.apply(g).interrupted());
    counter(registry, tags.and("outcome", "dead"), group, g -> view.apply(g).dead());
    counter(registry, tags.and("outcome", "expired"), group, g -> view.apply(g).expired());
    counter(registry, tags.and("outcome", "cancelled"), group, g -> view.apply(g).cancelled());
    counter(registry, tags.and("outcome", "duplicate"), group, g -> view.apply(g).duplicate());
    counter(registry, tags.and("outcome", "stale"), group, g -> view.apply(g).stale());
    FunctionCounter.builder("sluice.worker.slow", group, g -> view.apply(g).slow())
        .tags(tags)
        .register(registry);
    FunctionTimer.builder(
            "messaging.process.duration",
            group,
            g -> view.apply(g).succeeded() + view.apply(g).failed(),
            g -> view.apply(g).nanos(),
            TimeUnit.NANOSECONDS)
        .tags(tags)
        .register(registry);
  }

  private record HandlerNow(GroupWorker group, String queue, String type) {
    EngineSnapshot.HandlerView view() {
      return group.snapshot().handlers().stream()
          .filter(h -> h.queue().equals(queue) && h.type().equals(type))
          .findFirst()
          .orElseThrow();
    }
  }

  private static double depth(EngineSnapshot s) {
    return s.partitions().stream().mapToInt(EngineSnapshot.PartitionView::laneDepth).sum();
  }

  private static double uncommitted(EngineSnapshot s) {
    return s.partitions().stream().mapToLong(EngineSnapshot.PartitionView::uncommitted).sum();
  }

  private static double paused(EngineSnapshot s, PauseReason reason) {
    return s.partitions().stream().filter(p -> p.pausedNanos().containsKey(reason)).count();
  }

  private static void gauge(
      MeterRegistry registry,
      String name,
      Tags tags,
      GroupWorker group,
      ToDoubleFunction<EngineSnapshot> value) {
    Gauge.builder(name, group, g -> value.applyAsDouble(g.snapshot()))
        .tags(tags)
        .strongReference(true)
        .register(registry);
  }

  private static void counter(
      MeterRegistry registry,
      String name,
      Tags tags,
      GroupWorker group,
      ToDoubleFunction<PollCounters> value) {
    FunctionCounter.builder(name, group, g -> value.applyAsDouble(g.counters()))
        .tags(tags)
        .register(registry);
  }

  private static void counter(
      MeterRegistry registry, Tags tags, GroupWorker group, ToDoubleFunction<GroupWorker> value) {
    FunctionCounter.builder("sluice.worker.attempts", group, value).tags(tags).register(registry);
  }
}
