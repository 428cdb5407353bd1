// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import dev.sluice.BatchHandler;
import dev.sluice.ConfigException;
import dev.sluice.Effects;
import dev.sluice.OnRetry;
import dev.sluice.Order;
import dev.sluice.TaskHandler;
import dev.sluice.flow.retry.RetryPolicy;
import dev.sluice.queue.BulkheadDefinition;
import dev.sluice.queue.CapacityDefinition;
import dev.sluice.queue.ChildrenDefinition;
import dev.sluice.queue.DedupeDefinition;
import dev.sluice.queue.FleetConcurrencyDefinition;
import dev.sluice.queue.FleetLimitsDefinition;
import dev.sluice.queue.FleetMode;
import dev.sluice.queue.FleetRateDefinition;
import dev.sluice.queue.HandlerDefinition;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.queue.RateLimiterDefinition;
import dev.sluice.queue.TenantsDefinition;
import dev.sluice.wire.PayloadCodec;
import dev.sluice.worker.handler.BatchingHandler;
import dev.sluice.worker.handler.DecodingHandler;
import dev.sluice.worker.lease.LeaseDesk;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.retry.RetryConfig;
import io.github.resilience4j.timelimiter.TimeLimiter;
import io.github.resilience4j.timelimiter.TimeLimiterConfig;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * One queue of a worker. Limits, time-outs and retries that are set after a {@code handle} belong
 * to that handler; those set before the first one are the default of all. Not thread-safe.
 */
public final class QueueBuilder {
  record Handled(TaskHandler<byte[]> handler, HandlerSettings settings) {}

  private static final Duration LINGER_MAX = Duration.ofMinutes(1);

  private final PayloadCodec codec;
  private final LeaseDesk desk;
  private final HandlerSettings defaults = new HandlerSettings();
  private final Map<String, Handled> handlers = new LinkedHashMap<>();
  private HandlerSettings current = defaults;
  private QueueDefinition definition;

  /**
   * @param desk hands tasks of pulled queues to those who take them
   */
  QueueBuilder(QueueDefinition definition, PayloadCodec codec, LeaseDesk desk) {
    this.desk = desk;
    this.definition = definition;
    this.codec = codec;
  }

  /** What may not overlap. Default: {@link Order#KEY}. */
  public QueueBuilder order(Order order) {
    definition = definition.withOrder(order);
    return this;
  }

  /** The topic. Default: the name of the queue. */
  public QueueBuilder topic(String topic) {
    definition = definition.withTopic(topic);
    return this;
  }

  /**
   * What a task that waits for its next attempt does to those behind it. Default: {@link
   * OnRetry#HOLD_KEY}.
   */
  public QueueBuilder onRetry(OnRetry choice) {
    definition = definition.withOnRetry(choice);
    return this;
  }

  /**
   * How the tasks that handlers submit go together with the end of their own. Default: {@link
   * Effects#AT_LEAST_ONCE}.
   */
  public QueueBuilder effects(Effects choice) {
    definition = definition.withEffects(choice);
    return this;
  }

  /**
   * Suppresses the tasks that come a second time: a task does not run if another one of its id came
   * before it in its partition, and not longer before it than this; 1 s to 7 days. Tasks of one id
   * are in one partition if they have one key, or if they have none and their submitter chose the
   * id. Of one partition the last 100,000 tasks are remembered, in about 4 MB.
   */
  public QueueBuilder dedupe(Duration window) {
    return dedupe(window, DedupeDefinition.MAX_IDS);
  }

  /**
   * As {@link #dedupe(Duration)}.
   *
   * @param maxIds how many tasks of one partition are remembered, at about 40 bytes each; where
   *     more come within the window, it is shorter; 100 to 10,000,000
   */
  public QueueBuilder dedupe(Duration window, int maxIds) {
    definition = definition.withDedupe(new DedupeDefinition(window, maxIds));
    return this;
  }

  /**
   * What its tasks may submit. Default: 100 generations, and what they submit passes the capacity
   * by.
   *
   * @param choice for example {@code new ChildrenDefinition(10, 2)}: where the queue has a
   *     capacity, tasks wait for room for the two that each may submit into it, without a thread;
   *     the backlog is never above the capacity and 20 more
   */
  public QueueBuilder children(ChildrenDefinition choice) {
    definition = definition.withChildren(choice);
    return this;
  }

  /**
   * The priorities of its tasks. Default: one.
   *
   * @param choice for example {@code PrioritiesDefinition.levels(3)}
   */
  public QueueBuilder priorities(PrioritiesDefinition choice) {
    definition = definition.withPriorities(choice);
    return this;
  }

  /**
   * Serves tenants in turns. Default: tasks are served as they come.
   *
   * @param choice for example {@code TenantsDefinition.EQUAL}
   */
  public QueueBuilder tenants(TenantsDefinition choice) {
    definition = definition.withTenants(choice);
    return this;
  }

  /** The consumer group. Default: {@code sluice-} and the name of the queue. */
  public QueueBuilder group(String group) {
    definition = definition.withGroup(group);
    return this;
  }

  /** Tasks that this worker runs at once; 1 to 10,000. Default: 16. */
  public QueueBuilder concurrency(int tasks) {
    definition = definition.withConcurrency(tasks);
    return this;
  }

  /**
   * What is held in memory.
   *
   * @param tasks per partition; 2 to 100,000
   * @param bytes in the whole worker; 1 MiB to 1 TiB
   */
  public QueueBuilder buffer(int tasks, long bytes) {
    definition = definition.withBuffer(tasks, bytes);
    return this;
  }

  /** How long a hand-over or a stop waits for running tasks; 0 to 10 min. Default: 5 s. */
  public QueueBuilder handover(Duration most) {
    definition = definition.withHandover(most);
    return this;
  }

  /**
   * What may run again after a crash.
   *
   * @param uncommitted completions per partition that no commit covers; 10 to 1,000,000
   * @param interval the longest that a completion waits for its commit; 5 ms to 1 min
   */
  public QueueBuilder commits(int uncommitted, Duration interval) {
    definition = definition.withCommits(uncommitted, interval);
    return this;
  }

  /** Works the tasks of one type, with their payload decoded from JSON. */
  public <T> QueueBuilder handle(String type, Class<T> payload, TaskHandler<T> handler) {
    return add(type, DecodingHandler.of(payload, handler, codec), new HandlerSettings());
  }

  /** Works the tasks of every type that has no handler of its own, with their payload as bytes. */
  public QueueBuilder handle(TaskHandler<byte[]> handler) {
    return add(QueueDefinition.ANY_TYPE, handler, new HandlerSettings());
  }

  /**
   * Works the tasks of one type several at once. Each has an attempt, permits and a time-out of its
   * own, and ends on its own: one that fails does not fail its neighbours.
   *
   * @param size how many at most: 1 to {@code concurrency}, since each has a thread
   * @param linger how long the first one waits for others: 0 to 1 min, and less than the time-out
   */
  public <T> QueueBuilder handleBatch(
      String type, Class<T> payload, int size, Duration linger, BatchHandler<T> handler) {
    BatchingHandler<T> batching = batching(size, linger, handler);
    return add(type, DecodingHandler.of(payload, batching, codec), alone(size));
  }

  /** Works the tasks of every type that has no handler of its own several at once, as bytes. */
  public QueueBuilder handleBatch(int size, Duration linger, BatchHandler<byte[]> handler) {
    return add(QueueDefinition.ANY_TYPE, batching(size, linger, handler), alone(size));
  }

  private static <T> BatchingHandler<T> batching(
      int size, Duration linger, BatchHandler<T> handler) {
    if (size < 1 || linger.isNegative() || linger.compareTo(LINGER_MAX) > 0) {
      throw new ConfigException(
          "A handler of batches takes 1 or more tasks and waits 0 to 1 min for them, and not "
              + size
              + " and "
              + linger);
    }
    return new BatchingHandler<>(size, linger, handler);
  }

  private static HandlerSettings alone(int size) {
    HandlerSettings settings = new HandlerSettings();
    settings.batchSize = size;
    return settings;
  }

  /**
   * Hands the tasks that have no handler of their own to whoever asks {@link Worker#take}, one by
   * one and with all that limits handlers: at most {@code concurrency} are taken at once, each for
   * the time-out of this queue.
   */
  public QueueBuilder pull() {
    HandlerSettings settings = new HandlerSettings();
    settings.desk = desk;
    return add(QueueDefinition.ANY_TYPE, desk, settings);
  }

  QueueBuilder add(String type, TaskHandler<byte[]> handler, HandlerSettings settings) {
    current = settings;
    handlers.put(type, new Handled(handler, settings));
    return this;
  }

  /** The longest that one attempt may take; then its thread is interrupted. Default: 1 min. */
  public QueueBuilder timeout(Duration most) {
    current.timeout(most, null);
    return this;
  }

  /** The time-out of a Resilience4j time limiter. */
  public QueueBuilder timeLimiter(TimeLimiterConfig config) {
    current.timeout(config.getTimeoutDuration(), null);
    return this;
  }

  /**
   * The time-out of a Resilience4j time limiter, which is told how each attempt ended: its events
   * and metrics are those of the handler. It does not have to be the handler's alone.
   */
  public QueueBuilder timeLimiter(TimeLimiter limiter) {
    current.timeout(limiter.getTimeLimiterConfig().getTimeoutDuration(), limiter);
    return this;
  }

  /** How often and when a failed task is tried again. */
  public QueueBuilder retry(RetryPolicy policy) {
    current.retryPolicy = policy;
    current.retry = null;
    return this;
  }

  /** The attempts, intervals and exception predicate of a Resilience4j retry. */
  public QueueBuilder retry(RetryConfig config) {
    current.retry = config;
    current.retryPolicy = null;
    return this;
  }

  /** The most tasks of the handler that this worker runs at once. */
  public QueueBuilder bulkhead(int maxConcurrentCalls) {
    current.bulkhead = HandlerSettings.config(new BulkheadDefinition(maxConcurrentCalls));
    return this;
  }

  /** A Resilience4j bulkhead; its wait duration is not used, since tasks wait in their lane. */
  public QueueBuilder bulkhead(BulkheadConfig config) {
    current.bulkhead = config;
    return this;
  }

  /** The most tasks of the handler that this worker starts per second. */
  public QueueBuilder rate(int perSecond) {
    current.rateLimiter = HandlerSettings.config(RateLimiterDefinition.perSecond(perSecond));
    return this;
  }

  /** A Resilience4j rate limiter; its time-out is not used, since tasks wait in their lane. */
  public QueueBuilder rateLimiter(RateLimiterConfig config) {
    current.rateLimiter = config;
    return this;
  }

  /** A Resilience4j circuit breaker: while it is open, the queue waits. */
  public QueueBuilder circuitBreaker(CircuitBreakerConfig config) {
    current.circuitBreaker(config, null);
    return this;
  }

  /**
   * A Resilience4j circuit breaker of the caller's, for its events and metrics, or to move it to
   * another state by hand. Handlers of one downstream may share it.
   */
  public QueueBuilder circuitBreaker(CircuitBreaker breaker) {
    current.circuitBreaker(null, breaker);
    return this;
  }

  /**
   * Whether the handler's tasks wait while everything fails, instead of becoming dead letters one
   * after the other. Default: they do, unless there is a circuit breaker.
   */
  public QueueBuilder deadLetterGuard(boolean on) {
    current.deadLetterGuard = on;
    return this;
  }

  /**
   * Tasks that producers may have in the queue, waiting or running. Default: no bound.
   *
   * @param tasks 1 to 1,000,000,000,000; 0 for no bound
   */
  public QueueBuilder capacity(long tasks) {
    definition =
        definition.withCapacity(
            new CapacityDefinition(
                tasks, tasks == 0 ? Optional.empty() : definition.capacity().targetDelay()));
    return this;
  }

  /** How long tasks should wait: producers are slowed down to keep it. Needs a capacity. */
  public QueueBuilder targetDelay(Duration delay) {
    definition =
        definition.withCapacity(
            new CapacityDefinition(definition.capacity().tasks(), Optional.of(delay)));
    return this;
  }

  /**
   * The most tasks that all workers of the fleet start per second, with a burst of a tenth of a
   * second; of the queue, or after a {@code handle} of that handler.
   */
  public QueueBuilder fleetRate(double perSecond) {
    return fleet(limits -> limits.withRate(FleetRateDefinition.perSecond(perSecond)));
  }

  /**
   * The most tasks that all workers of the fleet start: in any window of w seconds {@code burst +
   * 1.02 * perSecond * w}.
   *
   * @param burst starts at once after a rest
   */
  public QueueBuilder fleetRate(double perSecond, long burst) {
    return fleet(limits -> limits.withRate(new FleetRateDefinition(perSecond, burst)));
  }

  /** The most tasks that all workers of the fleet run at once, in {@link FleetMode#SOFT} mode. */
  public QueueBuilder fleetConcurrency(int tasks) {
    return fleetConcurrency(tasks, FleetMode.SOFT);
  }

  /** The most tasks that all workers of the fleet run at once. */
  public QueueBuilder fleetConcurrency(int tasks, FleetMode mode) {
    return fleet(limits -> limits.withConcurrency(new FleetConcurrencyDefinition(tasks, mode)));
  }

  private QueueBuilder fleet(UnaryOperator<FleetLimitsDefinition> change) {
    if (handlers.isEmpty()) {
      definition = definition.withFleet(change.apply(definition.fleet()));
    } else {
      current.fleet = change.apply(current.fleet);
    }
    return this;
  }

  /**
   * Names what the handler calls: handlers with the same destination, in any queue and process,
   * share one fleet rate and one fleet concurrency.
   */
  public QueueBuilder destination(String name) {
    if (handlers.isEmpty()) {
      throw new ConfigException(
          "destination '" + name + "' belongs to a handler; call it after handle(...)");
    }
    HandlerDefinition.checkDestination(name);
    current.destination = name;
    return this;
  }

  QueueDefinition definition() {
    return definition;
  }

  Map<String, Handled> handlers() {
    return handlers;
  }

  HandlerSettings defaults() {
    return defaults;
  }
}
