// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.ConfigException;
import dev.sluice.fleet.CancelWish;
import dev.sluice.fleet.CancelWish.State;
import dev.sluice.fleet.CreditGrant;
import dev.sluice.fleet.CreditReport;
import dev.sluice.fleet.DeclaredQueue;
import dev.sluice.fleet.FleetSettings;
import dev.sluice.fleet.Grant;
import dev.sluice.fleet.HeldLimits;
import dev.sluice.fleet.HeldLimits.Held;
import dev.sluice.fleet.LimitKey;
import dev.sluice.fleet.LimitKey.Kind;
import dev.sluice.fleet.LimitReport;
import dev.sluice.fleet.kafka.Participant;
import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.share.Share;
import dev.sluice.queue.FleetConcurrencyDefinition;
import dev.sluice.queue.FleetLimitsDefinition;
import dev.sluice.queue.FleetMode;
import dev.sluice.queue.FleetRateDefinition;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.time.Clock;
import dev.sluice.worker.engine.HandlerLoad;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a worker shares with the fleet. Limits are asked for while the worker is put together; after
 * {@link #begin}, all but the limits is used by the fleet's thread only.
 */
public final class WorkerFleet implements Participant {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerFleet.class);
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(40);
  private static final long SETTINGS_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  /**
   * An interrupted handler is given up after 5 s; two more, and its process ends; then its slots.
   */
  private static final long HOLD_GRACE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final String worker;
  private final Clock clock;
  private final Runnable halt;
  private final HeldLimits limits = new HeldLimits();
  private final Map<LimitKey, Shared> shared = new LinkedHashMap<>();
  private final List<QueueDefinition> queues = new ArrayList<>();
  private final CancelWishes wishes;
  private final Map<String, ChildRoom> rooms = new LinkedHashMap<>();
  private final Map<String, Boolean> paused = new LinkedHashMap<>();
  private List<? extends WorkedGroup> groups = List.of();
  private FleetSettings settings = FleetSettings.EMPTY;
  private boolean settingsKnown;
  private long lookedNanos;
  private long settingsNanos;

  private static final class Shared {
    final LimitKey key;
    final boolean configured;
    final SharedLimit limit;
    final DemandMeter meter;
    final List<Predicate<HandlerLoad>> covers = new ArrayList<>();

    Shared(LimitKey key, boolean configured, SharedLimit limit) {
      this.key = key;
      this.configured = configured;
      this.limit = limit;
      this.meter = new DemandMeter(key.kind());
    }
  }

  /**
   * @param worker the name of the worker
   * @param halt ends the process: a task under a strict limit outlived all that it may
   */
  public WorkerFleet(String worker, Clock clock, Runnable halt) {
    this.worker = worker;
    this.wishes = new CancelWishes(worker);
    this.clock = clock;
    this.halt = halt;
    this.lookedNanos = clock.nanos();
    this.settingsNanos = clock.nanos();
  }

  // ---- putting together ----

  /**
   * The limits of a queue as a whole; there to be set by an operator even if none is configured.
   */
  public List<Limit> ofQueue(QueueDefinition queue, Duration longestTimeout) {
    queues.add(queue);
    Predicate<HandlerLoad> covers = load -> load.queue().equals(queue.name());
    return List.of(
        slots(
            LimitKey.ofQueue(Kind.CONCURRENCY, queue.name()),
            queue.fleet(),
            longestTimeout,
            covers),
        rate(LimitKey.ofQueue(Kind.RATE, queue.name()), queue.fleet(), covers));
  }

  /** Tasks that are not to run. */
  public CancelWishes wishes() {
    return wishes;
  }

  @Override
  public List<CancelWish> answers() {
    return wishes.takeAnswers();
  }

  /** The room in a queue for what its own tasks submit. */
  public ChildRoom childRoom(QueueDefinition queue) {
    return rooms.computeIfAbsent(queue.name(), q -> new ChildRoom(queue, clock));
  }

  /** The limits of one handler, or of the destination that it shares with others. */
  public List<Limit> ofHandler(
      String queue,
      String type,
      FleetLimitsDefinition fleet,
      Optional<String> destination,
      Duration timeout) {
    Predicate<HandlerLoad> covers = load -> load.queue().equals(queue) && load.type().equals(type);
    List<Limit> all = new ArrayList<>();
    if (fleet.concurrency().isPresent()) {
      LimitKey key =
          destination
              .map(d -> LimitKey.ofDestination(Kind.CONCURRENCY, d))
              .orElseGet(() -> LimitKey.ofHandler(Kind.CONCURRENCY, queue, type));
      all.add(slots(key, fleet, timeout, covers));
    }
    if (fleet.rate().isPresent()) {
      LimitKey key =
          destination
              .map(d -> LimitKey.ofDestination(Kind.RATE, d))
              .orElseGet(() -> LimitKey.ofHandler(Kind.RATE, queue, type));
      all.add(rate(key, fleet, covers));
    }
    return all;
  }

  private SharedLimit rate(
      LimitKey key, FleetLimitsDefinition fleet, Predicate<HandlerLoad> covers) {
    Share configured = fleet.rate().map(WorkerFleet::share).orElse(Share.NONE);
    Held held = declare(key, configured, 0);
    Shared known =
        shared.computeIfAbsent(
            key,
            k -> {
              boolean set = fleet.rate().isPresent();
              return new Shared(k, set, new FleetRateLimit(held, set, clock));
            });
    known.covers.add(covers);
    return known.limit;
  }

  /** How long after a lease tasks under these limits may still run, if they are strict. */
  public static long holdNanos(FleetLimitsDefinition fleet, Duration timeout) {
    return fleet.concurrency().filter(c -> c.mode() == FleetMode.STRICT).isPresent()
        ? timeout.toNanos() + HOLD_GRACE_NANOS
        : 0;
  }

  private SharedLimit slots(
      LimitKey key, FleetLimitsDefinition fleet, Duration timeout, Predicate<HandlerLoad> covers) {
    boolean set = fleet.concurrency().isPresent();
    boolean strict = fleet.concurrency().map(c -> c.mode() == FleetMode.STRICT).orElse(false);
    Share configured =
        new Share(0, fleet.concurrency().map(FleetConcurrencyDefinition::limit).orElse(0));
    Held held = declare(key, configured, holdNanos(fleet, timeout));
    Shared known =
        shared.computeIfAbsent(
            key, k -> new Shared(k, set, new FleetSlotLimit(held, strict, set, this::outlived)));
    known.covers.add(covers);
    return known.limit;
  }

  private Held declare(LimitKey key, Share configured, long holdNanos) {
    try {
      return limits.declare(key, configured, holdNanos, clock.nanos());
    } catch (IllegalArgumentException e) {
      throw new ConfigException(
          e.getMessage() + "; handlers that share a destination must have the same limits", e);
    }
  }

  private static Share share(FleetRateDefinition rate) {
    return new Share(Math.round(rate.rate() * 1_000), rate.burst());
  }

  /** Everything is put together. */
  public void begin(List<? extends WorkedGroup> worked) {
    groups = List.copyOf(worked);
    queues.forEach(queue -> paused.put(queue.name(), false));
  }

  /** What lets the fleet's thread look here soon. */
  public void wakeBy(Runnable waker) {
    rooms.values().forEach(room -> room.wakeBy(waker));
  }

  // ---- settings ----

  @Override
  public void settings(FleetSettings changed) {
    settings = changed;
    settingsKnown = true;
    applySettings();
  }

  @Override
  public void noSettings() {
    // What was set stays as it was: an operator's pause does not end because a broker is away.
  }

  private void applySettings() {
    long millis = clock.epochMillis();
    Map<LimitKey, Share> set = settings.limits(millis);
    boolean changed = false;
    for (Shared each : shared.values()) {
      boolean on = each.configured || set.containsKey(each.key);
      if (each.limit.active() != on) {
        each.limit.activate(on);
        changed = true;
        LOG.info(
            "[worker={}] Fleet limit {} {}", worker, each.key, on ? "was set" : "was taken away");
      }
    }
    List<CancelWish> fresh = wishes.settings(settings.cancels(), millis);
    if (!fresh.isEmpty()) {
      Set<String> ids = fresh.stream().map(CancelWish::id).collect(Collectors.toSet());
      Map<String, State> found = new LinkedHashMap<>();
      groups.forEach(group -> found.putAll(group.cancel(ids)));
      for (CancelWish wish : fresh) {
        State state = found.get(wish.id());
        if (state != null) {
          wishes.answer(wish, state);
        }
      }
    }
    rooms.forEach((queue, room) -> room.settings(settings.credit(queue, millis)));
    for (Map.Entry<String, Boolean> queue : paused.entrySet()) {
      boolean now = settings.paused(queue.getKey(), millis);
      if (queue.getValue() != now) {
        queue.setValue(now);
        LOG.info(
            "[worker={} queue={}] {} by an operator",
            worker,
            queue.getKey(),
            now ? "Paused" : "Resumed");
        groups.forEach(group -> group.pause(queue.getKey(), now));
      }
    }
    if (changed) {
      groups.forEach(WorkedGroup::fleetGranted);
    }
  }

  @Override
  public List<DeclaredQueue> declare(FleetSettings present) {
    List<DeclaredQueue> declared = new ArrayList<>();
    for (QueueDefinition queue : queues) {
      DeclaredQueue known = present.declared().get(queue.name());
      long capacity = queue.capacity().tasks();
      long target = queue.capacity().targetDelay().map(Duration::toMillis).orElse(0L);
      if (capacity == 0 && known != null) {
        // Who is not told of a capacity does not take it away from the others.
        capacity = known.capacity();
        target = known.targetDelayMillis();
      }
      DeclaredQueue mine =
          new DeclaredQueue(
              queue.name(),
              queue.topic(),
              queue.group(),
              capacity,
              target,
              queue.priorities(),
              queue.children().perTask(),
              worker,
              clock.epochMillis());
      if (known == null || !known.saysTheSameAs(mine)) {
        declared.add(mine);
      }
    }
    return declared;
  }

  // ---- grants ----

  @Override
  public void granted(Grant grant, long leaseEndNanos, long nowNanos) {
    limits.apply(grant, leaseEndNanos, nowNanos);
    for (CreditGrant each : grant.credits()) {
      ChildRoom room = rooms.get(each.queue());
      if (room != null && each.line().depth() > 0) {
        room.granted(each, leaseEndNanos, nowNanos);
      }
    }
    groups.forEach(WorkedGroup::fleetGranted);
  }

  @Override
  public void leasesOver(long nowNanos) {
    limits.end(nowNanos);
  }

  private List<Held> active() {
    return shared.values().stream()
        .filter(each -> each.limit.active())
        .map(each -> each.limit.held())
        .toList();
  }

  // ---- reports ----

  @Override
  public long longestHoldNanos() {
    long longest = 0;
    for (Held held : limits.all()) {
      longest = Math.max(longest, held.holdNanos());
    }
    return longest;
  }

  @Override
  public boolean shares() {
    if (!settingsKnown || !settings.credits(clock.epochMillis()).isEmpty()) {
      return true;
    }
    for (Shared each : shared.values()) {
      if (each.limit.active()) {
        return true;
      }
    }
    return false;
  }

  @Override
  public boolean urgent(long nowNanos) {
    if (nowNanos - settingsNanos > SETTINGS_NANOS) {
      settingsNanos = nowNanos;
      if (settingsKnown) {
        applySettings(); // some may have expired
      }
      shared.values().forEach(each -> each.limit.endIfOutlived(nowNanos));
      rooms.values().forEach(ChildRoom::look);
    }
    if (nowNanos - lookedNanos >= LOOK_NANOS) {
      look(nowNanos);
    }
    if (limits.gaveBack(nowNanos)) {
      return true;
    }
    for (ChildRoom room : rooms.values()) {
      if (room.urgent()) {
        return true;
      }
    }
    for (Shared each : shared.values()) {
      if (each.limit.active() && (each.meter.changed() || turnOver(each, nowNanos))) {
        return true;
      }
    }
    return false;
  }

  private static boolean turnOver(Shared each, long nowNanos) {
    Held held = each.limit.held();
    if (each.key.kind() != Kind.RATE) {
      return false;
    }
    synchronized (held) {
      // What was taken has to begin first: before that it cannot be given up.
      return held.rate().turnOver()
          && held.rate().pending() == 0
          && !held.rate().share(nowNanos).isNone();
    }
  }

  private void look(long nowNanos) {
    lookedNanos = nowNanos;
    List<HandlerLoad> loads = new ArrayList<>();
    groups.forEach(group -> loads.addAll(group.loads()));
    for (Shared each : shared.values()) {
      if (each.limit.active()) {
        List<HandlerLoad> covered =
            loads.stream().filter(l -> each.covers.stream().anyMatch(c -> c.test(l))).toList();
        boolean useless = each.key.kind() == Kind.RATE && withoutSlot(covered, nowNanos);
        each.meter.look(useless ? List.of() : covered, inUse(each), nowNanos);
      }
    }
  }

  /**
   * Whether no token would help these handlers, because the fleet left them no slot to start in.
   */
  private boolean withoutSlot(List<HandlerLoad> covered, long nowNanos) {
    for (Shared each : shared.values()) {
      if (each.key.kind() == Kind.CONCURRENCY
          && each.limit.active()
          && !covered.isEmpty()
          && covered.stream().allMatch(l -> each.covers.stream().anyMatch(c -> c.test(l)))) {
        Held held = each.limit.held();
        synchronized (held) {
          if (held.slots().slots(nowNanos) == 0) {
            return true;
          }
        }
      }
    }
    return false;
  }

  private static long inUse(Shared each) {
    if (each.key.kind() != Kind.CONCURRENCY) {
      return 0;
    }
    Held held = each.limit.held();
    synchronized (held) {
      return held.slots().inUse();
    }
  }

  /** Called under the monitor of what is held. */
  private void outlived(FleetSlotLimit limit) {
    Held held = limit.held();
    LOG.error(
        "[worker={}] {} tasks under the strict fleet limit {} still run {} s after this worker was"
            + " cut off from the fleet; others may take their slots now, so this process ends",
        worker,
        held.slots().inUse(),
        held.key(),
        TimeUnit.NANOSECONDS.toSeconds(clock.nanos() - held.slots().endNanos()));
    halt.run();
  }

  @Override
  public Content content(boolean leaving, long nowNanos) {
    look(nowNanos);
    List<LimitReport> reports =
        limits.reports(
            key -> {
              Shared each = shared.get(key);
              if (leaving || each == null || !each.limit.active()) {
                return 0;
              }
              each.meter.reported();
              return each.meter.demand();
            },
            key -> {
              Shared each = shared.get(key);
              return each != null && each.limit.active();
            },
            nowNanos);
    List<CreditReport> credits = new ArrayList<>();
    rooms.values().forEach(room -> credits.addAll(room.reports(leaving, nowNanos)));
    return new Content(reports, credits, leaving ? List.of() : QueueReports.of(queues, groups));
  }

  /** All limits that concern this worker; for people and metrics, after {@link #begin}. */
  public Set<LimitKey> keys() {
    return Set.copyOf(shared.keySet());
  }

  /** What the worker holds of the fleet's limits; for people and metrics, from any thread. */
  public FleetView view() {
    return FleetView.of(active(), clock.nanos());
  }
}
