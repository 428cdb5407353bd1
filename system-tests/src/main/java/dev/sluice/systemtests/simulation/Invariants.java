// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * S4 and S5, checked at every step. A bucket of the burst that fills 2 % faster than the rate goes
 * below zero exactly if some window has more starts than S4 allows.
 */
final class Invariants {
  private static final double DRIFT = 1.02;
  private static final double ROUNDING = 1e-3;

  private final Scenario scenario;
  private final Map<SimWorker, Integer> running = new LinkedHashMap<>();
  private final Map<SimWorker, Integer> orphans = new HashMap<>();
  private double level;
  private long lastNanos;
  private String violation = "";
  private long maxRunning;
  private long maxBacklog;

  Invariants(Scenario scenario) {
    this.scenario = scenario;
    this.level = scenario.burst();
  }

  void started(SimWorker worker, long trueNanos) {
    running.merge(worker, 1, Integer::sum);
    if (scenario.rate() > 0) {
      double gained = (trueNanos - lastNanos) / 1e9 * scenario.rate() * DRIFT;
      level = Math.min(scenario.burst(), level + gained) - 1;
      lastNanos = trueNanos;
      if (level < -ROUNDING) {
        broken(String.format("S4 rate: %.3f starts too many at %.3f s", -level, trueNanos / 1e9));
      }
    }
    if (scenario.concurrency() > 0) {
      long now = 0;
      long cutOff = 0;
      for (Map.Entry<SimWorker, Integer> entry : running.entrySet()) {
        if (scenario.strict() && entry.getKey().beyondHold(trueNanos)) {
          continue; // frozen, and halted before it goes on
        }
        now += entry.getValue();
        if (entry.getKey().cutOffNow(trueNanos)) {
          lapsed(entry.getKey());
        }
        cutOff += orphans.getOrDefault(entry.getKey(), 0);
      }
      maxRunning = Math.max(maxRunning, now);
      long most = scenario.concurrency() + (scenario.strict() ? 0 : cutOff);
      if (now > most) {
        broken(
            (scenario.strict() ? "S4 concurrency, strict: " : "S4 concurrency, soft: ")
                + now
                + " tasks run where "
                + most
                + " may, at "
                + trueNanos / 1e9
                + " s: "
                + shown(trueNanos));
      }
    }
  }

  private String shown(long trueNanos) {
    StringBuilder text = new StringBuilder();
    running.forEach(
        (worker, tasks) ->
            text.append(worker.shown(trueNanos))
                .append(" runs ")
                .append(tasks)
                .append(" of them cut off ")
                .append(orphans.getOrDefault(worker, 0))
                .append("; "));
    return text.toString();
  }

  /** The lease of a worker is over: what runs there now is beyond its share. */
  void lapsed(SimWorker worker) {
    orphans.put(worker, running.getOrDefault(worker, 0));
  }

  void ended(SimWorker worker) {
    running.merge(worker, -1, (a, b) -> a + b == 0 ? null : a + b);
    orphans.computeIfPresent(
        worker, (w, n) -> Math.min(n, running.getOrDefault(w, 0)) == 0 ? null : n);
  }

  void died(SimWorker worker) {
    running.remove(worker);
  }

  void backlog(long tasks) {
    maxBacklog = Math.max(maxBacklog, tasks);
    if (scenario.capacity() > 0 && tasks > scenario.capacity()) {
      broken("S5: a backlog of " + tasks + " where " + scenario.capacity() + " may be");
    }
  }

  private void broken(String what) {
    if (violation.isEmpty()) {
      violation = what;
    }
  }

  /** The first violation; empty if there was none. */
  String violation() {
    return violation;
  }

  long maxRunning() {
    return maxRunning;
  }

  long maxBacklog() {
    return maxBacklog;
  }
}
