// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import dev.sluice.OnRetry;
import dev.sluice.batch.kafka.BatchReader;
import dev.sluice.fleet.LimitKey;
import dev.sluice.fleet.Report;
import dev.sluice.fleet.kafka.ControlTopics;
import dev.sluice.fleet.kafka.FleetMember;
import dev.sluice.flow.lane.Lane;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.time.SystemClock;
import dev.sluice.worker.delay.kafka.DelayCounters;
import dev.sluice.worker.delay.kafka.DelayService;
import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.fleet.FleetView;
import dev.sluice.worker.fleet.WorkerFleet;
import dev.sluice.worker.kafka.ChildTasks;
import dev.sluice.worker.kafka.DelayRoute;
import dev.sluice.worker.lease.Lease;
import dev.sluice.worker.lease.LeaseDesk;
import dev.sluice.worker.lease.Leases;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Works the tasks of queues until it is closed. Thread-safe.
 *
 * <p>One consumer and one poll thread per consumer group; handlers run on threads of their own.
 */
public final class Worker implements AutoCloseable {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(20);
  private static final int POLL_RECORDS_MAX = 2_000;

  /** The client's own default of {@code max.request.size}. */
  private static final int REQUEST_BYTES = 1 << 20;

  private static final long FETCH_BYTES_LEAST = 16 << 10;
  private static final long FETCH_BYTES_MOST = 1 << 20;

  /** Nearly as fast as the 50 MB that the client asks for, and a bound on what it holds. */
  private static final long RESPONSE_BYTES_MOST = 4 << 20;

  private final String name;
  private final List<GroupWorker> groups;
  private final WorkerFleet fleet;
  private final FleetMember member;
  private final @Nullable DelayService delays;
  private final @Nullable LeaseDesk desk;
  private final Duration longestStop;

  private Worker(
      String name,
      List<GroupWorker> groups,
      WorkerFleet fleet,
      FleetMember member,
      @Nullable DelayService delays,
      @Nullable LeaseDesk desk,
      Duration longestStop) {
    this.desk = desk;
    this.name = name;
    this.groups = groups;
    this.fleet = fleet;
    this.member = member;
    this.delays = delays;
    this.longestStop = longestStop;
  }

  /** Settings of a worker on these brokers. */
  public static WorkerBuilder builder(String bootstrapServers) {
    return builder(KafkaSettings.of(bootstrapServers));
  }

  /** Settings of a worker with any Kafka properties. */
  public static WorkerBuilder builder(KafkaSettings kafka) {
    return new WorkerBuilder(kafka);
  }

  static Worker start(WorkerBuilder builder) {
    Map<String, Integer> partitions = prepareTopics(builder);
    prepareFleet(builder);
    Map<String, List<QueueBuilder>> byGroup = new LinkedHashMap<>();
    builder
        .queues
        .values()
        .forEach(
            queue ->
                byGroup
                    .computeIfAbsent(queue.definition().group(), g -> new ArrayList<>())
                    .add(queue));
    builder.queues.values().forEach(queue -> queue.definition().checked());
    DelayRoute route = prepareDelays(builder);
    ChildTasks children = childTasks(builder, route);
    WorkerFleet fleet = new WorkerFleet(builder.name, builder.clock, builder.halt);
    List<GroupWorker> groups = new ArrayList<>();
    Duration longest = Duration.ZERO;
    for (Map.Entry<String, List<QueueBuilder>> group : byGroup.entrySet()) {
      List<QueueBuilder> queues = group.getValue();
      int assigned = 0;
      int pollRecords = POLL_RECORDS_MAX;
      long bytes = Long.MAX_VALUE;
      for (QueueBuilder queue : queues) {
        QueueDefinition d = queue.definition();
        int each = partitions.getOrDefault(d.topic(), d.partitions());
        int topics = d.topics().size() + (d.onRetry() == OnRetry.LET_PASS ? 1 : 0);
        assigned += topics * each;
        pollRecords = Math.min(pollRecords, Lane.pollRecordsFor(d.buffer(), POLL_RECORDS_MAX));
        bytes = Math.min(bytes, d.bufferBytes());
        longest = longest.compareTo(d.handover()) > 0 ? longest : d.handover();
      }
      // Half of the budget is for lanes, half for what the client has fetched of paused partitions.
      long perPartition =
          Math.max(
              FETCH_BYTES_LEAST, Math.min(FETCH_BYTES_MOST, bytes / 2 / Math.max(1, assigned)));
      Map<String, Object> consumer = builder.kafka.consumer(group.getKey());
      consumer.putIfAbsent("client.id", builder.name + "-" + group.getKey());
      consumer.putIfAbsent("max.partition.fetch.bytes", Long.toString(perPartition));
      consumer.putIfAbsent(
          "fetch.max.bytes", Long.toString(Math.min(RESPONSE_BYTES_MOST, bytes / 2)));
      // A fetch for empty partitions is under way while a full one is resumed: it must come back
      // soon.
      consumer.putIfAbsent("fetch.max.wait.ms", "50");
      // What the system tunes by itself: with the client's 64 KiB a large answer takes tens of
      // turns of two processes, and a long line is never filled.
      consumer.putIfAbsent("receive.buffer.bytes", "-1");
      // Whoever leads a classic group does not see new partitions for longer: they would stand
      // still.
      consumer.putIfAbsent("metadata.max.age.ms", "10000");
      consumer.put("max.poll.records", Integer.toString(pollRecords));
      groups.add(
          new GroupWorker(
              builder,
              group.getKey(),
              queues,
              consumer,
              pollRecords,
              bytes / 2,
              fleet,
              route,
              children,
              () -> groups.forEach(GroupWorker::stop)));
    }
    fleet.begin(groups);
    FleetMember member =
        new FleetMember(
            builder.kafka,
            builder.fleet,
            FleetMember.Identity.draw(builder.name, Report.Kind.WORKER, builder.random),
            fleet,
            builder.clock,
            builder.random);
    fleet.wakeBy(member::wake);
    member.start();
    LeaseDesk desk = builder.desk;
    desk.wakeBy(() -> groups.forEach(GroupWorker::lookAgain));
    for (GroupWorker group : groups) {
      group.start(
          () -> {
            if (groups.stream().allMatch(GroupWorker::hasEnded)) {
              desk.close();
            }
          });
    }
    DelayService delays = null;
    if (builder.delays) {
      delays =
          new DelayService(
              builder.kafka,
              builder.fleet,
              builder.name,
              builder.clock,
              builder.random,
              builder.history);
      delays.start();
    }
    boolean pulls =
        builder.queues.values().stream()
            .flatMap(queue -> queue.handlers().values().stream())
            .anyMatch(handled -> handled.handler() == desk);
    return new Worker(
        builder.name, groups, fleet, member, delays, pulls ? desk : null, longest.plusSeconds(5));
  }

  /** A worker whose limits hang on the control topics says at once if it cannot have them. */
  private static void prepareFleet(WorkerBuilder builder) {
    boolean needed = false;
    long hold = 0;
    for (QueueBuilder queue : builder.queues.values()) {
      needed |= !queue.definition().fleet().isNone() || queue.definition().capacity().tasks() > 0;
      for (QueueBuilder.Handled each : queue.handlers().values()) {
        HandlerSettings settings = each.settings();
        needed |= !settings.fleet.isNone();
        Duration timeout = settings.orElse(queue.defaults()).timeoutOrDefault();
        hold = Math.max(hold, WorkerFleet.holdNanos(settings.fleet, timeout));
        hold = Math.max(hold, WorkerFleet.holdNanos(queue.definition().fleet(), timeout));
      }
    }
    if (needed) {
      try (ControlTopics topics = new ControlTopics(builder.kafka, builder.fleet, START_TIMEOUT)) {
        ControlTopics.Found ignored = topics.ensure(hold);
      }
    }
  }

  /** Tasks that let others pass wait in the delay topics, which are there before the first does. */
  private static DelayRoute prepareDelays(WorkerBuilder builder) {
    DelayRoute route = new DelayRoute(builder.kafka, builder.fleet, builder.clock);
    if (builder.queues.values().stream()
        .anyMatch(queue -> queue.definition().onRetry() == OnRetry.LET_PASS)) {
      int ignored = route.ensure();
    }
    return route;
  }

  /** What handlers submit goes to the topics of queues that this worker knows, or of that name. */
  private static ChildTasks childTasks(WorkerBuilder builder, DelayRoute route) {
    Map<String, String> topics = new LinkedHashMap<>(builder.topics);
    builder
        .queues
        .values()
        .forEach(queue -> topics.put(queue.definition().name(), queue.definition().topic()));
    Object most = builder.kafka.producer().get("max.request.size");
    return new ChildTasks(
        builder.codec,
        topics,
        "sluice/worker/" + builder.name,
        topic -> exists(builder, topic),
        batch -> isOver(builder, batch),
        route,
        most == null ? REQUEST_BYTES : Integer.parseInt(most.toString()),
        builder.clock);
  }

  /** Asked once for each topic, so that no client is kept for it. */
  private static boolean exists(WorkerBuilder builder, String topic) {
    try (Topics topics = new Topics(builder.kafka, START_TIMEOUT)) {
      return topics.partitions(topic).isPresent();
    }
  }

  /** Asked now and then for the few tasks that wait for batches. */
  private static boolean isOver(WorkerBuilder builder, String batch) {
    try (BatchReader reader =
        new BatchReader(builder.kafka, builder.fleet.batchesTopic(), batch, builder.clock)) {
      return reader.count().isOver();
    }
  }

  private static Map<String, Integer> prepareTopics(WorkerBuilder builder) {
    Map<String, Integer> found = new LinkedHashMap<>();
    List<String> existing = new ArrayList<>();
    try (Topics topics = new Topics(builder.kafka, START_TIMEOUT)) {
      Map<String, Integer> wanted = new LinkedHashMap<>();
      for (QueueBuilder queue : builder.queues.values()) {
        QueueDefinition d = queue.definition();
        Optional<Integer> known = topics.partitions(d.topic());
        int partitions = known.orElse(d.partitions());
        found.put(d.topic(), partitions);
        for (String topic : d.topics()) {
          if (topics.partitions(topic).isPresent()) {
            existing.add(topic); // one that was created just now may not be known everywhere yet
          }
          wanted.put(topic, partitions);
        }
        wanted.put(d.deadLetterTopic(), partitions);
        if (d.onRetry() == OnRetry.LET_PASS) {
          wanted.put(d.retryTopic(), partitions);
        }
      }
      if (builder.createTopics) {
        topics.ensure(wanted);
      }
      topics.refuseCompacted(existing);
    }
    return found;
  }

  /** The name in logs, metrics and dead letters. */
  public String name() {
    return name;
  }

  /** The state of each consumer group's engine. */
  public List<EngineSnapshot> snapshots() {
    return groups.stream().map(GroupWorker::snapshot).toList();
  }

  /** The state as a JSON object, for people and probes. */
  public String json() {
    return WorkerJson.of(name, groups, fleet.view(), member);
  }

  /** Whether it polls, and has not lost too many threads to handlers that never return. */
  public boolean live() {
    return groups.stream().allMatch(GroupWorker::live);
  }

  /** Whether it is a member of its groups and not stopping. */
  public boolean ready() {
    return groups.stream().allMatch(GroupWorker::ready);
  }

  /** What it holds of the limits that the fleet shares. */
  public FleetView fleet() {
    return fleet.view();
  }

  /** The fleet limits that concern it, those included that only an operator can set. */
  public Set<LimitKey> fleetLimits() {
    return fleet.keys();
  }

  /** How it takes part in the fleet, for metrics. */
  public FleetMember member() {
    return member;
  }

  /** How it serves delayed tasks, for metrics; empty if it does not. */
  public Optional<DelayCounters> delays() {
    return Optional.ofNullable(delays).map(DelayService::counters);
  }

  /** What it counts, for metrics. */
  public List<GroupWorker> groups() {
    return groups;
  }

  /** Lets the worker stop by itself once all its queues are empty and everything is committed. */
  public void stopWhenEmpty() {
    groups.forEach(GroupWorker::stopWhenEmpty);
  }

  /**
   * Takes a task of the queues that are pulled ({@link QueueBuilder#pull}); several threads may
   * wait at once, and are served in the order in which they came.
   *
   * @param timeout how long at most; below some milliseconds it finds little, because the task is
   *     handed over by another thread
   * @return empty if there was none in time, or the worker stops
   * @throws IllegalStateException if no queue is pulled
   * @throws InterruptedException if the thread was interrupted while it waited
   */
  public Optional<Lease> take(Duration timeout) throws InterruptedException {
    return desk().take(timeout.isNegative() ? 0 : nanos(timeout));
  }

  /**
   * All tasks of the queues that are pulled, as they come. The iteration waits for each, and ends
   * when the worker stops; it is for one thread, of which there may be several, each with its own.
   * A lease that was not completed when the next one is asked for stays open: close it.
   *
   * @throws IllegalStateException if no queue is pulled
   */
  public Iterable<Lease> leases() {
    LeaseDesk known = desk();
    return () -> new Leases(known);
  }

  private LeaseDesk desk() {
    LeaseDesk known = desk;
    if (known == null) {
      throw new IllegalStateException(
          "No queue of worker " + name + " is pulled; call pull() on one where handle() would be");
    }
    return known;
  }

  private static long nanos(Duration duration) {
    try {
      return duration.toNanos();
    } catch (ArithmeticException e) {
      return Long.MAX_VALUE;
    }
  }

  /** Asks for the stop without waiting for it. */
  public void stop() {
    if (desk != null) {
      desk.close();
    }
    groups.forEach(GroupWorker::stop);
  }

  /**
   * Waits until the worker has stopped.
   *
   * @return false if it had to give up because too many handlers never returned
   * @throws InterruptedException if the waiting thread is interrupted
   */
  public boolean awaitShutdown() throws InterruptedException {
    boolean well = true;
    for (GroupWorker group : groups) {
      well &= group.await(Long.MAX_VALUE);
    }
    return well;
  }

  /**
   * Stops: running handlers have the hand-over time, what is done is committed, the group is left.
   * Takes at most the hand-over time plus 5 s, with the brokers gone, too.
   */
  @Override
  public void close() {
    stop();
    long deadline = SystemClock.INSTANCE.nanos() + longestStop.toNanos();
    try {
      for (GroupWorker group : groups) {
        group.await(Math.max(0, deadline - SystemClock.INSTANCE.nanos()));
      }
      if (delays != null) {
        delays.close();
      }
      member.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  static long nanosToMillis(long nanos) {
    return TimeUnit.NANOSECONDS.toMillis(nanos);
  }
}
