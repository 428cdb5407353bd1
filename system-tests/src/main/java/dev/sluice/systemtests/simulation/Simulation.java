// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;

/** One run: a fleet, its faults, and the calm after them. */
public final class Simulation {
  private final Scenario scenario;
  private final World world;
  private final SimLog log;
  private final SimFigures figures = new SimFigures();
  private final Invariants invariants;
  private final SimQueue queue;
  private final RandomGenerator random;
  private final List<SimWorker> workers = new ArrayList<>();
  private final List<SimProducer> producers = new ArrayList<>();
  private int born;

  private Simulation(Scenario scenario) {
    this.scenario = scenario;
    this.world = new World(scenario.seed());
    this.log = new SimLog(world);
    this.random = world.fork();
    this.invariants = new Invariants(scenario);
    this.queue = new SimQueue(world, invariants, figures, scenario.drainPerSecond());
  }

  /** Runs a scenario. */
  public static SimulationResult run(Scenario scenario) {
    return new Simulation(scenario).run();
  }

  private SimulationResult run() {
    if (scenario.past()) {
      log.past(scenario.grantsPartitions());
    }
    for (int i = 0; i < scenario.workers(); i++) {
      addWorker("w" + i, (long) (random.nextDouble() * 2 * World.SECOND));
    }
    for (int i = 0; i < scenario.producers(); i++) {
      SimProducer producer = new SimProducer(world, log, scenario, figures, "p" + i, queue);
      producers.add(producer);
      world.after((long) (random.nextDouble() * 2 * World.SECOND), producer::begin);
    }
    long faultsEnd = scenario.faultSeconds() * World.SECOND;
    long end = faultsEnd + scenario.calmSeconds() * World.SECOND;
    if (scenario.faultEveryMillis() > 0) {
      world.after(3 * World.SECOND, () -> fault(faultsEnd));
    }
    long healed = end - Math.min(5, scenario.calmSeconds()) * World.SECOND;
    world.at(
        faultsEnd,
        () -> {
          workers.forEach(SimWorker::calm);
          if (workers.stream().noneMatch(SimProcess::alive)) {
            addWorker("w-last", 0);
          }
        });
    world.at(healed, () -> figures.countFrom(world.now()));
    for (long at = World.SECOND; at <= end && invariants.violation().isEmpty(); ) {
      world.run(at);
      at += World.SECOND;
    }
    return result(healed, end);
  }

  private SimulationResult result(long healed, long end) {
    long alive = workers.stream().filter(SimProcess::alive).count() + producers.size();
    long begun = scenario.faultSeconds() > 0 ? healed : 12 * World.SECOND;
    return new SimulationResult(
        scenario.seed(),
        invariants.violation(),
        figures.startsPerSecond(healed, end),
        figures.drainedPerSecond(healed, end),
        figures.drainUtilization(),
        SimFigures.jain(figures.startedBy()),
        SimFigures.jain(figures.admittedBy()),
        figures.messagesPerSecond(Math.min(begun, healed), end) / Math.max(1, alive),
        figures.takeOvers(),
        invariants.maxRunning(),
        invariants.maxBacklog(),
        figures.coordinatorNanos() / 1e9,
        end / 1e9,
        world.hash());
  }

  private SimWorker addWorker(String name, long delay) {
    SimWorker worker = new SimWorker(world, log, scenario, figures, name, invariants, queue);
    workers.add(worker);
    if (scenario.faultSeconds() > 0 && world.now() >= scenario.faultSeconds() * World.SECOND) {
      worker.calm();
    }
    world.after(delay, worker::begin);
    born++;
    return worker;
  }

  // ---- faults ----

  private void fault(long until) {
    if (world.now() >= until) {
      return;
    }
    List<SimWorker> living = workers.stream().filter(SimProcess::alive).toList();
    SimWorker victim = living.isEmpty() ? null : living.get(random.nextInt(living.size()));
    SimWorker leader = living.stream().filter(SimWorker::coordinating).findFirst().orElse(victim);
    if (victim != null && leader != null) {
      hit(victim, leader);
    } else {
      addWorker("w" + born, 0);
    }
    long next = (long) (-Math.log(1 - random.nextDouble()) * scenario.faultEveryMillis());
    world.after(next * World.TICK, () -> fault(until));
  }

  private void hit(SimWorker victim, SimWorker leader) {
    long shortTime = (long) (random.nextDouble() * 3 * World.SECOND);
    long longTime = (long) (random.nextDouble() * 9 * World.SECOND);
    switch (scenario.faults().get(random.nextInt(scenario.faults().size()))) {
      case RESTART -> restart(victim, shortTime);
      case RESTART_LEADER -> restart(leader, shortTime);
      case STOP -> victim.stop(shortTime);
      case STOP_LONG -> victim.stop(longTime);
      case STOP_LEADER -> leader.stop(longTime);
      case CUT_OFF -> victim.cutOff(shortTime);
      case CUT_OFF_LEADER -> leader.cutOff(longTime);
      case LEADER_MISSES_CLAIMS -> leader.missClaims(2 * longTime);
      case TWO_LEADERS_AND_JOIN -> {
        leader.missClaims(16 * World.SECOND);
        if (victim != leader) {
          victim.die();
        }
        long later = 6 * World.SECOND + shortTime / 2;
        world.after(later, () -> joinUnderTwoLeaders(leader));
      }
      case SLOW -> victim.slow(longTime);
      case SLOW_THEN_CUT_OFF -> {
        victim.slow(3 * World.SECOND);
        world.after(3 * World.SECOND, () -> victim.cutOff(5 * World.SECOND + longTime / 3));
      }
      case CUT_OFF_AND_KILL_LEADER -> {
        if (victim != leader) {
          victim.cutOff(4 * World.SECOND + shortTime);
          world.after(shortTime / 6, () -> restart(leader, shortTime));
        }
      }
      case JOIN -> {
        if (workers.stream().filter(SimProcess::alive).count() < 10) {
          addWorker("w" + born, 0);
        }
      }
      case LEAVE -> victim.leave();
      case PRODUCER -> {
        SimProducer producer = producers.get(random.nextInt(producers.size()));
        if (random.nextBoolean()) {
          producer.stop(longTime);
        } else {
          producer.cutOff(shortTime);
        }
      }
      case RECREATE -> {
        if (random.nextInt(2) == 0) {
          log.recreate();
        }
      }
    }
  }

  private void joinUnderTwoLeaders(SimWorker first) {
    workers.stream()
        .filter(worker -> worker.alive() && worker.coordinating() && worker != first)
        .forEach(worker -> worker.slow(4 * World.SECOND));
    for (int i = 0; i < 3 && workers.stream().filter(SimProcess::alive).count() < 10; i++) {
      addWorker("w" + born, (long) (random.nextDouble() * World.SECOND / 2));
    }
  }

  /** Under its old name, as an orchestrator does it. */
  private void restart(SimWorker victim, long after) {
    if (!victim.alive()) {
      return;
    }
    String name = victim.name;
    victim.die();
    world.after(after, () -> addWorker(name, 0));
  }

  // ---- for scenarios of their own ----

  /** A fleet without faults, whose queue becomes so much slower for a while, and recovers. */
  public static SlowdownResult slowdown(Scenario scenario, double factor) {
    Simulation run = new Simulation(scenario);
    return run.runSlowdown(factor);
  }

  /** When the delay was far from its target last, in seconds after the beginning. */
  private double settled(long from, long to, double target) {
    double last = 0;
    for (long at = from; at < to; at += 50 * World.TICK) {
      if (Math.abs(figures.delaySeconds(at) - target) > 0.35 * target) {
        last = (at - from) / (double) World.SECOND;
      }
    }
    return last;
  }

  private SlowdownResult runSlowdown(double factor) {
    for (int i = 0; i < scenario.workers(); i++) {
      addWorker("w" + i, 0);
    }
    for (int i = 0; i < scenario.producers(); i++) {
      SimProducer producer = new SimProducer(world, log, scenario, figures, "p" + i, queue);
      producers.add(producer);
      producer.begin();
    }
    double target = scenario.targetDelayMillis() / 1_000.0;
    double full = scenario.drainPerSecond();
    long second = World.SECOND;
    long slowAt = 25 * second;
    world.run(slowAt);
    double before = figures.admittedPerSecond(slowAt - 5 * second, slowAt);
    queue.rate(full / factor);
    long settle = slowAt + 2 * second;
    long delayBy = slowAt + (long) ((9 * target + 3) * second);
    long recoverAt = delayBy + 5 * second;
    world.run(settle);
    double believed =
        workers.stream()
            .map(SimWorker::coordinator)
            .filter(Objects::nonNull)
            .mapToDouble(coordinator -> coordinator.state().drainRate(SimQueue.NAME))
            .findFirst()
            .orElse(0);
    world.run(recoverAt);
    double admittedSlow = figures.admittedPerSecond(delayBy, recoverAt);
    double delay = figures.delaySeconds(delayBy);
    double admittedSoon = figures.admittedPerSecond(settle, settle + 3 * second);
    queue.rate(full);
    figures.countFrom(recoverAt + 3 * second);
    world.run(recoverAt + 13 * second);
    double after = figures.drainedPerSecond(recoverAt + 3 * second, recoverAt + 13 * second);
    return new SlowdownResult(
        scenario.seed(),
        invariants.violation(),
        full,
        before,
        believed,
        admittedSoon,
        admittedSlow,
        delay,
        settled(slowAt, recoverAt, target),
        target,
        after,
        invariants.maxBacklog());
  }
}
