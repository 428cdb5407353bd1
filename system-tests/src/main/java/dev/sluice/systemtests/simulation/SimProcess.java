// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import dev.sluice.fleet.CreditReport;
import dev.sluice.fleet.Grant;
import dev.sluice.fleet.GrantBatch;
import dev.sluice.fleet.HolderState;
import dev.sluice.fleet.LimitGrant;
import dev.sluice.fleet.LimitKey;
import dev.sluice.fleet.LimitReport;
import dev.sluice.fleet.ProtocolRule;
import dev.sluice.fleet.Report;
import dev.sluice.flow.limit.TokenBucket;
import dev.sluice.flow.share.Share;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A process that takes part: it reads its partition of the grants and reports. */
abstract class SimProcess {
  private static final long LEASE = 5 * World.SECOND;

  final World world;
  final SimLog log;
  final Scenario scenario;
  final RandomGenerator random;
  final SimClock clock;
  final String name;
  final String incarnation;
  final SimLog.Place own;
  final SimFigures figures;
  HolderState holder;
  private final Report.Kind kind;
  private final Map<LimitKey, Share> lastShares = new HashMap<>();
  private TokenBucket pace;
  private boolean alive = true;
  private boolean lowered;
  private long stoppedUntil;
  private long cutOffUntil;
  private long slowUntil;
  private SimLog.@Nullable Place away;
  private long awayUntil;
  private long position;
  private long believeFrom;
  private long nextReport;
  private long lastReport;
  private int generation;
  private long heardAt;
  private final List<Runnable> whenContinued = new ArrayList<>();

  SimProcess(
      World world,
      SimLog log,
      Scenario scenario,
      SimFigures figures,
      String name,
      Report.Kind kind) {
    this.world = world;
    this.log = log;
    this.scenario = scenario;
    this.figures = figures;
    this.random = world.fork();
    this.name = name;
    this.kind = kind;
    this.incarnation =
        scenario.rules().contains(ProtocolRule.MATCH_INCARNATION)
            ? name + "-" + Long.toHexString(random.nextLong())
            : name;
    this.clock = new SimClock(random.nextLong() >> 2, 1 + (random.nextDouble() * 2 - 1) * 0.0198);
    this.own =
        new SimLog.Place("grants", Math.floorMod(name.hashCode(), scenario.grantsPartitions()));
    this.pace = new TokenBucket(4, 4, now());
    this.holder = new HolderState(incarnation, scenario.rules());
    join();
  }

  /** Starts to read, as at the start of the process or when the topics are others. */
  private void join() {
    generation = log.generation();
    boolean fromStart = scenario.rules().contains(ProtocolRule.READ_FROM_START);
    believeFrom = log.end(own);
    position = fromStart ? 0 : believeFrom;
    nextReport = now();
    heardAt = world.now();
  }

  final long now() {
    return clock.at(world.now());
  }

  final boolean alive() {
    return alive;
  }

  final boolean running() {
    return alive && world.now() >= stoppedUntil;
  }

  final String line() {
    return incarnation + "/";
  }

  /** How long a message of it is under way. */
  final long delayNanos() {
    long base = World.TICK + (long) (random.nextDouble() * 15 * World.TICK);
    if (world.now() < slowUntil) {
      base += (long) (random.nextDouble() * 4 * World.SECOND);
    }
    return Math.max(base, cutOffUntil - world.now() + World.TICK);
  }

  /** The same for a message to one place, which may be out of its reach alone. */
  final long delayNanos(SimLog.Place place) {
    long usual = delayNanos();
    return place.equals(away) ? Math.max(usual, awayUntil - world.now() + World.TICK) : usual;
  }

  /** How old a record is when it can see it. */
  final long fetchNanos(SimLog.Place place) {
    if (world.now() < cutOffUntil || place.equals(away) && world.now() < awayUntil) {
      return Long.MAX_VALUE / 4;
    }
    return world.now() < slowUntil ? 2 * World.SECOND : 2 * World.TICK;
  }

  /** Runs it now, or when the process is continued; never if it is dead by then. */
  final void whenRunning(Runnable what) {
    if (!alive) {
      return;
    }
    if (running()) {
      what.run();
    } else {
      whenContinued.add(what);
    }
  }

  // ---- faults ----

  void die() {
    alive = false;
    world.trace("die", name.hashCode());
  }

  final void stop(long nanos) {
    stoppedUntil = Math.max(stoppedUntil, world.now() + nanos);
    world.trace("stop", name.hashCode());
    world.at(stoppedUntil, this::continued);
  }

  private void continued() {
    if (!running()) {
      return;
    }
    onContinue();
    if (!alive) {
      return;
    }
    List<Runnable> waiting = new ArrayList<>(whenContinued);
    whenContinued.clear();
    waiting.forEach(Runnable::run);
  }

  /** The first thing that it does after it stood still. */
  void onContinue() {}

  final void cutOff(long nanos) {
    cutOffUntil = world.now() + nanos;
    world.trace("cut", name.hashCode());
  }

  /** The broker that leads one partition is out of its reach, the others are not. */
  final void cutOffFrom(SimLog.Place place, long nanos) {
    away = place;
    awayUntil = world.now() + nanos;
    world.trace("away", name.hashCode());
  }

  final void slow(long nanos) {
    slowUntil = world.now() + nanos;
  }

  // ---- turns ----

  final void begin() {
    world.after((long) (random.nextDouble() * scenario.turnMillis() * World.TICK), this::turn);
  }

  private void turn() {
    if (!alive) {
      return;
    }
    if (running()) {
      readOwn();
      long next = act();
      report();
      long usual = (long) ((0.5 + random.nextDouble()) * scenario.turnMillis() * World.TICK);
      world.after(Math.max(100_000, Math.min(usual, next)), this::turn);
    } else {
      world.at(stoppedUntil, this::turn);
    }
  }

  /** Does its work; returns after how many true nanoseconds it wants to be asked again. */
  abstract long act();

  private void readOwn() {
    if (generation != log.generation()) {
      if (world.now() - heardAt > 2 * World.SECOND) {
        leasesOver();
        holder.reset();
        topicsAreOthers();
        join();
      }
      return;
    }
    for (SimLog.Entry entry : log.read(this, own, position)) {
      position = entry.offset() + 1;
      if (entry.value() instanceof GrantBatch batch) {
        heardAt = world.now();
        figures.received(world.now());
        var before = holder.epoch();
        holder
            .read(batch, entry.offset() >= believeFrom, now())
            .ifPresent(accepted -> apply(accepted.grant(), accepted.endNanos()));
        lowered |= !before.equals(holder.epoch());
      }
    }
  }

  void topicsAreOthers() {}

  private void apply(Grant grant, long endNanos) {
    for (LimitGrant limit : grant.limits()) {
      Share before = lastShares.put(limit.key(), limit.share());
      lowered |= before != null && !before.within(limit.share());
    }
    granted(grant, endNanos);
  }

  abstract void granted(Grant grant, long endNanos);

  abstract void leasesOver();

  abstract boolean urgent();

  abstract List<LimitReport> limits(boolean leaving);

  abstract List<CreditReport> credits(boolean leaving);

  private void report() {
    if (generation != log.generation()) {
      return;
    }
    long now = now();
    boolean periodic = now - nextReport >= 0;
    boolean spaced =
        holder.spacingNanos() <= World.SECOND / 4 || now - lastReport >= holder.spacingNanos();
    if (!(periodic || (lowered || urgent()) && spaced) || pace.tryAcquire(1, now) != 0) {
      return;
    }
    long lease = holder.leaseNanos() > 0 ? holder.leaseNanos() : LEASE;
    lastReport = now;
    nextReport = now + (long) (lease / 3.0 * (0.8 + 0.4 * random.nextDouble()));
    lowered = false;
    send(false);
  }

  final void send(boolean leaving) {
    long number = holder.beginReport(now());
    Report report =
        new Report(
            name,
            incarnation,
            kind,
            number,
            log.topicId(),
            own.partition(),
            holder.appliedCounter(),
            holder.appliedNumber(),
            holder.roundTripNanos(),
            leaving,
            limits(leaving),
            credits(leaving),
            List.of());
    figures.sent(world.now());
    log.append(this, new SimLog.Place("reports", 0), report, written -> {});
  }
}
