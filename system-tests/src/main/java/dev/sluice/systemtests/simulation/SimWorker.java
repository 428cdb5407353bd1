// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import dev.sluice.fleet.Claim;
import dev.sluice.fleet.CreditReport;
import dev.sluice.fleet.Election;
import dev.sluice.fleet.Epoch;
import dev.sluice.fleet.Grant;
import dev.sluice.fleet.GrantBatch;
import dev.sluice.fleet.HeldLimits;
import dev.sluice.fleet.HeldLimits.Held;
import dev.sluice.fleet.LimitKey;
import dev.sluice.fleet.LimitReport;
import dev.sluice.fleet.Report;
import dev.sluice.flow.lease.LeasedRate;
import dev.sluice.flow.share.Share;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A worker: it starts tasks as the limits let it, and coordinates where it was elected. */
final class SimWorker extends SimProcess {
  static final LimitKey RATE = LimitKey.ofQueue(LimitKey.Kind.RATE, "q");
  static final LimitKey SLOTS = LimitKey.ofQueue(LimitKey.Kind.CONCURRENCY, "q");

  /** The time-out of an attempt. */
  static final long TIMEOUT = 3 * World.SECOND;

  private static final long HALT_AFTER = TIMEOUT + 7 * World.SECOND;
  private static final long HOLD = TIMEOUT + 10 * World.SECOND;
  private static final int STARTS_PER_TURN = 200;

  private final Invariants invariants;
  private final SimQueue queue;
  private final HeldLimits limits;
  private final @Nullable Held rate;
  private final @Nullable Held slots;
  private final SimLog.Place first = new SimLog.Place("grants", 0);
  private final Election election;
  private final long patience;
  private @Nullable SimCoordinator coordinator;
  private @Nullable Epoch coordinated;
  private long firstPosition;
  private boolean busy = true;
  private boolean leaving;
  private long nextChange;
  private long lastDemand = -1;
  private boolean lastWithoutSlot;
  private long demand;
  private long runningTasks;
  private double startRate;
  private long starts;
  private long lookedStarts;
  private long lookedAt;

  SimWorker(
      World world,
      SimLog log,
      Scenario scenario,
      SimFigures figures,
      String name,
      Invariants invariants,
      SimQueue queue) {
    super(world, log, scenario, figures, name, Report.Kind.WORKER);
    this.invariants = invariants;
    this.queue = queue;
    this.limits = new HeldLimits();
    this.rate =
        scenario.rate() > 0
            ? limits.declare(
                RATE, new Share((long) (scenario.rate() * 1_000), scenario.burst()), 0, now())
            : null;
    this.slots =
        scenario.concurrency() > 0
            ? limits.declare(
                SLOTS, new Share(0, scenario.concurrency()), scenario.strict() ? HOLD : 0, now())
            : null;
    this.election = new Election(incarnation, name, random, now());
    this.patience = (long) (random.nextDouble() * 3 * World.SECOND);
    this.nextChange = world.now() + patience;
    this.lookedAt = now();
  }

  @Override
  long act() {
    elect();
    SimCoordinator present = coordinator;
    if (present != null) {
      present.turn();
    }
    if (world.now() >= nextChange && scenario.faultSeconds() > 0) {
      busy = random.nextInt(4) > 0;
      nextChange = world.now() + (long) (random.nextDouble() * 6 * World.SECOND);
    }
    return busy ? startTasks() : Long.MAX_VALUE;
  }

  /** From now on it always has work. */
  void calm() {
    leaving = false;
    busy = true;
    nextChange = Long.MAX_VALUE;
  }

  private long startTasks() {
    if (rate == null && slots == null) {
      return Long.MAX_VALUE; // its tasks are those of the queue
    }
    for (int i = 0; i < STARTS_PER_TURN; i++) {
      long now = now();
      if (slots != null && !slots.slots().tryAcquire(now)) {
        return Long.MAX_VALUE;
      }
      if (rate != null) {
        long wait = rate.rate().tryAcquire(now);
        if (wait != 0) {
          if (slots != null) {
            slots.slots().release();
          }
          return wait == LeasedRate.UNTIL_GRANT ? Long.MAX_VALUE : clock.trueNanos(wait);
        }
      }
      startOne();
    }
    return 0;
  }

  /** Between the decision and the start there is a moment, in which the process may be stopped. */
  private void startOne() {
    runningTasks++;
    starts++;
    long moment = (long) (random.nextDouble() * random.nextDouble() * 3 * World.TICK);
    world.after(moment, () -> whenRunning(this::begun));
  }

  private void begun() {
    long now = now();
    boolean valid =
        (rate == null || rate.rate().valid(now)) && (slots == null || slots.slots().valid(now));
    if (!valid) {
      runningTasks--;
      if (rate != null) {
        rate.rate().cancel(now);
      }
      if (slots != null) {
        slots.slots().release();
      }
      return;
    }
    invariants.started(this, world.now());
    figures.started(world.now(), name);
    if (rate != null) {
      rate.rate().begun(now);
    }
    long service = (long) (random.nextDouble() * random.nextDouble() * World.SECOND / 4);
    world.after(service, () -> whenRunning(this::ended));
  }

  private void ended() {
    runningTasks--;
    invariants.ended(this);
    if (slots != null) {
      slots.slots().release();
    }
  }

  @Override
  void onContinue() {
    // What the watchdog of the process does before anything else can matter.
    if (slots != null
        && scenario.strict()
        && slots.slots().inUse() > 0
        && !slots.slots().valid(now())
        && now() - slots.slots().endNanos() > HALT_AFTER) {
      die();
    }
  }

  /** Whether it can no longer be trusted to be cut off: then what runs there counts as ended. */
  boolean beyondHold(long trueNanos) {
    return slots != null
        && clock.at(trueNanos) - slots.slots().endNanos() > HALT_AFTER
        && !running();
  }

  /** Whether its slots may be somebody else's by now. */
  boolean cutOffNow(long trueNanos) {
    return slots != null && clock.at(trueNanos) - slots.slots().endNanos() >= 0;
  }

  @Override
  void die() {
    super.die();
    invariants.died(this);
    coordinator = null;
  }

  boolean coordinating() {
    return coordinator != null;
  }

  /** It goes on as the coordinator for those whose grants are elsewhere. */
  void missClaims(long nanos) {
    cutOffFrom(first, nanos);
  }

  @Nullable SimCoordinator coordinator() {
    return coordinator;
  }

  // ---- the fleet ----

  private void elect() {
    boolean quiet = true;
    for (SimLog.Entry entry : log.read(this, first, firstPosition)) {
      firstPosition = entry.offset() + 1;
      quiet = false;
      if (entry.value() instanceof Claim claim) {
        election.claimed(log.topicId(), claim, entry.offset(), now());
      } else if (entry.value() instanceof GrantBatch batch
          && batch.epoch().topicId().equals(log.topicId())) {
        election.batch(batch.epoch(), now());
      }
    }
    Optional<Epoch> mine = election.own();
    if (coordinator != null
        && (coordinator.failed() || !mine.equals(Optional.ofNullable(coordinated)))) {
      coordinator = null;
    }
    if (mine.isPresent() && !mine.get().equals(coordinated)) {
      coordinated = mine.get();
      coordinator = new SimCoordinator(this, world, log, scenario, figures, mine.get(), queue);
    }
    if (quiet && fetchNanos(first) < World.SECOND) {
      election
          .claim(firstPosition >= log.end(first), now())
          .ifPresent(
              claim -> {
                world.trace("claim", claim.counter());
                log.append(this, first, claim, written -> {});
              });
    }
  }

  @Override
  void topicsAreOthers() {
    election.reset(now());
    firstPosition = 0;
    coordinator = null;
    coordinated = null;
  }

  @Override
  void granted(Grant grant, long endNanos) {
    if (cutOffNow(world.now())) {
      invariants.lapsed(this);
    }
    limits.apply(grant, endNanos, now());
  }

  @Override
  void leasesOver() {
    limits.end(now());
  }

  @Override
  boolean urgent() {
    measure();
    boolean over =
        rate != null
            && rate.rate().turnOver()
            && rate.rate().pending() == 0
            && !rate.rate().share(now()).isNone();
    boolean slotCame = rate != null && lastWithoutSlot && !withoutSlot();
    return limits.gaveBack(now())
        || over
        || slotCame
        || lastDemand < 0
        || demand == 0 != (lastDemand == 0);
  }

  /** Whether no token would help, because there is no slot to start in. */
  private boolean withoutSlot() {
    return slots != null && slots.slots().slots(now()) == 0;
  }

  String shown(long trueNanos) {
    return name
        + (running() ? "" : " stopped")
        + (slots == null
            ? ""
            : " slots "
                + slots.slots().slots(clock.at(trueNanos))
                + " in use "
                + slots.slots().inUse());
  }

  private void measure() {
    long now = now();
    double seconds = (now - lookedAt) / (double) World.SECOND;
    if (seconds > 0.04) {
      startRate += (1 - Math.exp(-seconds / 0.3)) * ((starts - lookedStarts) / seconds - startRate);
      lookedAt = now;
      lookedStarts = starts;
    }
    demand = busy ? 1 : 0;
  }

  @Override
  List<LimitReport> limits(boolean leaving) {
    measure();
    lastDemand = demand;
    lastWithoutSlot = withoutSlot();
    long inUse = runningTasks;
    return limits.reports(
        key -> {
          if (leaving || demand == 0 && startRate < 0.5) {
            return 0;
          }
          if (key.kind() == LimitKey.Kind.RATE && withoutSlot()) {
            return 0;
          }
          return key.kind() == LimitKey.Kind.RATE
              ? (long) ((startRate * 1.25 + (busy ? scenario.rate() : 0)) * 1_000) + 1
              : Math.max(inUse, busy ? 16 : 0);
        },
        now());
  }

  @Override
  List<CreditReport> credits(boolean leaving) {
    return List.of();
  }

  /** Ends in an orderly way: it starts nothing more, and says so when all has ended. */
  void leave() {
    busy = false;
    leaving = true;
    nextChange = Long.MAX_VALUE;
    world.after(
        World.SECOND,
        () ->
            whenRunning(
                () -> {
                  if (runningTasks == 0 && leaving) {
                    send(true);
                    SimCoordinator present = coordinator;
                    if (present != null && present.ruling()) {
                      present
                          .state()
                          .successor(now())
                          .ifPresent(claim -> log.append(this, first, claim, written -> {}));
                    }
                    world.after(World.TICK, this::die);
                  }
                }));
  }
}
