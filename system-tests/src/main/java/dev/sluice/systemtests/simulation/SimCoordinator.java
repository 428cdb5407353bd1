// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import dev.sluice.fleet.CoordinatorState;
import dev.sluice.fleet.CoordinatorState.Outgoing;
import dev.sluice.fleet.CreditSettings;
import dev.sluice.fleet.Epoch;
import dev.sluice.fleet.GrantBatch;
import dev.sluice.fleet.ReadBack;
import dev.sluice.fleet.Report;
import dev.sluice.flow.credit.CreditBook;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The coordinator's part of a worker: the steps of a takeover, then its turns. */
final class SimCoordinator {
  private static final long LEASE = 5 * World.SECOND;
  private static final long SAMPLE_EVERY = 100 * World.TICK;

  private final SimWorker process;
  private final World world;
  private final SimLog log;
  private final Scenario scenario;
  private final SimFigures figures;
  private final Epoch epoch;
  private final SimQueue queue;
  private final CoordinatorState state;
  private final SimLog.Place reports = new SimLog.Place("reports", 0);
  private final int generation;
  private final Map<SimLog.Place, Long> positions = new HashMap<>();
  private final Map<SimLog.Place, ReadBack> reading = new HashMap<>();
  private final ReadBack all;
  private final Map<String, Report> left = new LinkedHashMap<>();
  private int unacknowledged;
  private long acknowledgedAt;
  private boolean announced;
  private boolean ruling;
  private boolean failed;
  private long reportPosition;
  private long rememberUntil;
  private long sampledAt;
  private boolean sampling;

  SimCoordinator(
      SimWorker process,
      World world,
      SimLog log,
      Scenario scenario,
      SimFigures figures,
      Epoch epoch,
      SimQueue queue) {
    this.process = process;
    this.world = world;
    this.log = log;
    this.scenario = scenario;
    this.figures = figures;
    this.epoch = epoch;
    this.queue = queue;
    this.generation = log.generation();
    this.all = new ReadBack(epoch, scenario.rules());
    this.state =
        new CoordinatorState(
            epoch, scenario.grantsPartitions(), LEASE, scenario.rules(), process.now());
    if (scenario.capacity() > 0) {
      state.capacities(
          Map.of(
              SimQueue.NAME,
              new CreditSettings(scenario.capacity(), scenario.targetDelayMillis() * World.TICK)));
    }
    this.rememberUntil = log.end(reports);
    this.sampledAt = process.now();
  }

  boolean failed() {
    return failed || generation != log.generation();
  }

  boolean ruling() {
    return ruling && !failed();
  }

  CoordinatorState state() {
    return state;
  }

  void turn() {
    if (failed()) {
      return;
    }
    if (!announced) {
      announce();
    } else if (unacknowledged == 0 && !ruling) {
      takeOver();
    } else if (ruling) {
      rule();
    }
  }

  private void announce() {
    announced = true;
    for (int i = 0; i < scenario.grantsPartitions(); i++) {
      SimLog.Place place = new SimLog.Place("grants", i);
      reading.put(place, new ReadBack(epoch, scenario.rules()));
      positions.put(place, 0L);
      unacknowledged++;
      GrantBatch batch = new GrantBatch(epoch, process.now(), LEASE, 0, false, List.of());
      log.append(
          process,
          place,
          batch,
          written -> {
            unacknowledged--;
            acknowledgedAt = process.now();
          });
    }
  }

  private void takeOver() {
    for (Map.Entry<SimLog.Place, ReadBack> entry : Map.copyOf(reading).entrySet()) {
      SimLog.Place place = entry.getKey();
      for (SimLog.Entry record : log.read(process, place, positions.getOrDefault(place, 0L))) {
        positions.put(place, record.offset() + 1);
        if (record.value() instanceof GrantBatch batch
            && batch.epoch().topicId().equals(epoch.topicId())
            && entry.getValue().read(batch)) {
          all.add(entry.getValue());
          reading.remove(place);
          break;
        }
      }
    }
    if (reading.isEmpty()) {
      for (SimLog.Entry record : log.read(process, reports, reportPosition)) {
        if (record.offset() >= rememberUntil) {
          break; // of the present: that is read as any report
        }
        reportPosition = record.offset() + 1;
        if (record.value() instanceof Report report) {
          if (report.leaving()) {
            left.put(report.incarnation(), report);
          }
          state.remember(report, process.now());
        }
      }
      if (reportPosition >= rememberUntil) {
        state.takeOver(all, acknowledgedAt);
        left.values().forEach(report -> state.report(report, process.now()));
        ruling = true;
        figures.tookOver(world.now());
      }
    }
  }

  private void rule() {
    long begun = System.nanoTime();
    long now = process.now();
    for (SimLog.Entry record : log.read(process, reports, reportPosition)) {
      reportPosition = record.offset() + 1;
      if (record.value() instanceof Report report) {
        state.report(report, now);
      }
    }
    sample(now);
    for (Outgoing outgoing : state.tick(now)) {
      figures.sent(world.now());
      log.append(
          process,
          new SimLog.Place("grants", outgoing.partition()),
          outgoing.batch(),
          written -> state.appended(outgoing, process.now()));
    }
    figures.coordinated(System.nanoTime() - begun);
  }

  private void sample(long now) {
    if (scenario.capacity() == 0 || sampling || now - sampledAt < SAMPLE_EVERY) {
      return;
    }
    CreditBook.Sample sample = state.sample(SimQueue.NAME);
    if (sample == null) {
      return;
    }
    sampling = true;
    sampledAt = now;
    world.after(
        process.delayNanos(),
        () -> {
          long finished = queue.finished();
          world.after(
              process.delayNanos(),
              () -> {
                long appended = queue.appended();
                process.whenRunning(
                    () -> {
                      sampling = false;
                      state.sampled(SimQueue.NAME, sample, finished, appended, process.now());
                    });
              });
        });
  }
}
