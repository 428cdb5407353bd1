// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import dev.sluice.Effects;
import dev.sluice.PermanentTaskException;
import dev.sluice.TaskHandler;
import dev.sluice.fleet.CancelWish;
import dev.sluice.flow.limit.Limit;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.time.Clock;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.engine.HandlerLoad;
import dev.sluice.worker.engine.HandlerState;
import dev.sluice.worker.engine.Membership;
import dev.sluice.worker.engine.QueueState;
import dev.sluice.worker.fleet.WorkedGroup;
import dev.sluice.worker.fleet.WorkerFleet;
import dev.sluice.worker.kafka.ChildTasks;
import dev.sluice.worker.kafka.DelayRoute;
import dev.sluice.worker.kafka.GroupRim;
import dev.sluice.worker.kafka.HandlerBinding;
import dev.sluice.worker.kafka.LedgerOverflow;
import dev.sluice.worker.kafka.PollCounters;
import dev.sluice.worker.kafka.PollSettings;
import dev.sluice.worker.kafka.QueueBinding;
import dev.sluice.worker.kafka.RunningTask;
import dev.sluice.worker.limit.FailurePolicy;
import dev.sluice.worker.limit.HoldLimit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One consumer group of a worker: its engine, its poll thread, its handler threads. Thread-safe.
 */
public final class GroupWorker implements WorkedGroup {
  private static final long LIVE_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final long SESSION_MILLIS = 45_000;

  /**
   * Under KIP-848 the session is the broker's, at least 45 s on a stock one, and only heartbeats
   * renew it, every 5 s: after a commit there are 40 s left.
   */
  private static final long SESSION_LEFT_MILLIS = 40_000;

  private static final int METADATA_BYTES = 4_000;

  private final String group;
  private final Clock clock;
  private final GroupRim rim;
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile boolean gaveUp;
  private final String worker;

  GroupWorker(
      WorkerBuilder builder,
      String group,
      List<QueueBuilder> queues,
      Map<String, Object> consumer,
      int pollRecords,
      long laneBytes,
      WorkerFleet fleet,
      DelayRoute delays,
      ChildTasks children,
      Runnable stopWorker) {
    this.group = group;
    this.worker = builder.name;
    this.clock = builder.clock;
    long session =
        "consumer".equalsIgnoreCase(String.valueOf(consumer.get("group.protocol")))
            ? SESSION_LEFT_MILLIS
            : SESSION_MILLIS;
    Object configured = consumer.get("session.timeout.ms");
    if (configured != null) {
      session = Long.parseLong(configured.toString());
    }
    Engine engine =
        new Engine(
            laneBytes,
            new Membership(TimeUnit.MILLISECONDS.toNanos(session), clock.nanos()),
            builder.random.nextLong(),
            clock.nanos());
    List<QueueBinding> bindings = new ArrayList<>();
    int threads = 0;
    Duration handover = Duration.ZERO;
    Duration commitInterval = Duration.ofMinutes(1);
    for (QueueBuilder queue : queues) {
      QueueDefinition d = queue.definition();
      bindings.add(bind(builder, engine, queue, fleet, children));
      threads += d.concurrency();
      handover = handover.compareTo(d.handover()) > 0 ? handover : d.handover();
      commitInterval =
          commitInterval.compareTo(d.commitInterval()) < 0 ? commitInterval : d.commitInterval();
    }
    PollSettings settings =
        new PollSettings(
            builder.name,
            group,
            bindings,
            consumer,
            pollRecords,
            handover,
            // A rebalance waits for members that died and for those that hand over.
            Duration.ofMillis(2 * session).plus(handover),
            commitInterval,
            METADATA_BYTES,
            new LedgerOverflow(builder.kafka, builder.fleet, group, builder.name),
            builder.fleet.batchesTopic(),
            "sluice-effects-"
                + group
                + "-"
                + Long.toHexString(builder.random.nextLong())
                + Long.toHexString(builder.random.nextLong()));
    this.rim =
        new GroupRim(
            settings,
            engine,
            builder.kafka.producer(),
            delays,
            threads,
            builder.threads,
            clock,
            builder.history,
            stopWorker);
  }

  private static QueueBinding bind(
      WorkerBuilder builder,
      Engine engine,
      QueueBuilder queue,
      WorkerFleet fleet,
      ChildTasks children) {
    QueueDefinition d = queue.definition();
    QueueState state =
        new QueueState(
            d.name(),
            d.concurrency(),
            d.effects() == Effects.TRANSACTIONAL,
            d.priorities(),
            d.tenants());
    Duration longest = Duration.ZERO;
    for (QueueBuilder.Handled each : queue.handlers().values()) {
      Duration timeout = each.settings().orElse(queue.defaults()).timeoutOrDefault();
      longest = longest.compareTo(timeout) > 0 ? longest : timeout;
    }
    List<Limit> ofQueue = fleet.ofQueue(d, longest);
    Map<String, HandlerBinding> byType = new LinkedHashMap<>();
    @Nullable HandlerBinding any = null;
    for (Map.Entry<String, QueueBuilder.Handled> entry : queue.handlers().entrySet()) {
      HandlerSettings settings = entry.getValue().settings().orElse(queue.defaults());
      List<Limit> ofFleet = new ArrayList<>(ofQueue);
      ofFleet.addAll(
          fleet.ofHandler(
              d.name(),
              entry.getKey(),
              settings.fleet,
              Optional.ofNullable(settings.destination),
              settings.timeoutOrDefault()));
      HandlerBinding binding =
          bind(
              builder,
              engine,
              state,
              entry.getKey(),
              settings,
              ofFleet,
              entry.getValue().handler());
      if (entry.getKey().equals(QueueDefinition.ANY_TYPE)) {
        any = binding;
      } else {
        byType.put(entry.getKey(), binding);
      }
    }
    TaskHandler<byte[]> refuse =
        (task, context) -> {
          throw new PermanentTaskException(
              "Queue "
                  + d.name()
                  + " has no handler for type '"
                  + task.type()
                  + "'; it has "
                  + String.join(", ", queue.handlers().keySet()));
        };
    HandlerSettings ofUnknown = new HandlerSettings();
    ofUnknown.deadLetterGuard = false; // no downstream is away, and others of the queue are not
    HandlerBinding unknown = bind(builder, engine, state, "unknown", ofUnknown, List.of(), refuse);
    return new QueueBinding(
        builder.name,
        builder.clock,
        state,
        d.topic(),
        d.order(),
        d.defaultType(),
        d.deadLetterTopic(),
        d.retryTopic(),
        d.onRetry(),
        d.buffer(),
        d.uncommitted(),
        d.dedupe(),
        children,
        d.children(),
        fleet.childRoom(d),
        fleet.wishes(),
        any,
        unknown,
        byType);
  }

  private static HandlerBinding bind(
      WorkerBuilder builder,
      Engine engine,
      QueueState queue,
      String type,
      HandlerSettings settings,
      List<Limit> ofFleet,
      TaskHandler<byte[]> handler) {
    HoldLimit hold = new HoldLimit();
    HandlerState state =
        new HandlerState(
            queue, type, settings.limits(queue.name() + "/" + type, hold, ofFleet, builder.hosts));
    engine.add(state);
    FailurePolicy failures = settings.failures(builder.random::nextDouble);
    return new HandlerBinding(
        state, handler, settings.timeoutOrDefault().toNanos(), failures, hold);
  }

  /**
   * Starts its thread.
   *
   * @param whenEnded told when it has ended
   */
  void start(Runnable whenEnded) {
    Thread thread =
        new Thread(
            () -> {
              try {
                rim.run();
              } finally {
                gaveUp = rim.gaveUp();
                ended.countDown();
                whenEnded.run();
              }
            },
            "sluice-poll-" + worker + "-" + group);
    thread.setDaemon(true);
    thread.start();
  }

  /** The consumer group. */
  public String group() {
    return group;
  }

  /** What the poll loop counts. */
  public PollCounters counters() {
    return rim.counters();
  }

  @Override
  public List<HandlerLoad> loads() {
    return rim.loads();
  }

  @Override
  public void pause(String queue, boolean paused) {
    rim.pause(queue, paused);
  }

  @Override
  public Map<String, CancelWish.State> cancel(Set<String> ids) {
    return rim.cancel(ids);
  }

  @Override
  public void fleetGranted() {
    rim.fleetGranted();
  }

  /** Somebody waits for a task. */
  void lookAgain() {
    rim.lookAgain();
  }

  /** The state of the engine. */
  @Override
  public EngineSnapshot snapshot() {
    return rim.snapshot();
  }

  /** The attempts that run for a second or longer, the longest first. */
  List<RunningTask> longest(int most) {
    return rim.longest(most);
  }

  /** Threads that are stuck in handlers that never returned. */
  public int hung() {
    return rim.hung();
  }

  boolean hasEnded() {
    return ended.getCount() == 0;
  }

  boolean live() {
    return ended.getCount() > 0 && !rim.gaveUp() && snapshot().sinceTurnNanos() < LIVE_NANOS;
  }

  boolean ready() {
    return ended.getCount() > 0 && rim.joined() && !rim.stopping();
  }

  void stop() {
    rim.stop();
  }

  void stopWhenEmpty() {
    rim.stopWhenEmpty();
  }

  boolean await(long nanos) throws InterruptedException {
    return ended.await(nanos, TimeUnit.NANOSECONDS) && !gaveUp;
  }
}
