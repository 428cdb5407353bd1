// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.fleet.LimitKey;
import dev.sluice.worker.engine.HandlerLoad;
import java.util.List;

/**
 * What the handlers under one fleet limit could use of it: what could start now, not what waits in
 * the topic. Not thread-safe.
 */
final class DemandMeter {
  private static final double SECOND = 1e9;

  /** Waiting tasks should be gone after this long. */
  private static final double CLEAR_SECONDS = 0.25;

  private static final double HEADROOM = 1.25;
  private static final double MEMORY_SECONDS = 0.3;
  private static final double SERVICE_SECONDS_MIN = 5e-7;
  private static final double RATE_MIN = 0.5;
  private static final double CHANGE = 1.5;

  private final LimitKey.Kind kind;
  private long lastNanos;
  private long lastStarted;
  private long lastWorked;
  private boolean begun;
  private double startRate;
  private double serviceSeconds;
  private double slots;
  private long demand;
  private long reported = -1;

  DemandMeter(LimitKey.Kind kind) {
    this.kind = kind;
  }

  /** Looks at what there is to do; the loads of the handlers that the limit covers. */
  void look(List<HandlerLoad> loads, long inUse, long nowNanos) {
    long started = 0;
    long worked = 0;
    long ready = 0;
    long concurrency = 0;
    for (HandlerLoad load : loads) {
      started += load.started();
      worked += load.nanos();
      ready += load.ready();
      concurrency = Math.max(concurrency, load.concurrency());
    }
    double seconds = begun ? (nowNanos - lastNanos) / SECOND : 0;
    if (seconds > 0) {
      double part = 1 - Math.exp(-seconds / MEMORY_SECONDS);
      startRate += part * ((started - lastStarted) / seconds - startRate);
      if (started > lastStarted) {
        double each = (worked - lastWorked) / SECOND / (started - lastStarted);
        serviceSeconds += (each - serviceSeconds) / 4;
      }
      slots = Math.max(inUse + ready, slots * (1 - part));
    } else {
      slots = inUse + ready;
    }
    begun = true;
    lastNanos = nowNanos;
    lastStarted = started;
    lastWorked = worked;
    demand =
        kind == LimitKey.Kind.RATE
            ? rate(ready, concurrency)
            : Math.min(concurrency, (long) Math.ceil(slots - 0.01));
  }

  private long rate(long ready, long concurrency) {
    double wanted = startRate * HEADROOM + ready / CLEAR_SECONDS;
    if (ready == 0 && wanted < RATE_MIN) {
      return 0;
    }
    double most = concurrency / Math.max(SERVICE_SECONDS_MIN, serviceSeconds);
    return (long) (Math.min(wanted, most) * 1_000) + 1;
  }

  long demand() {
    return demand;
  }

  /** Whether it has changed so much that the coordinator should know at once. */
  boolean changed() {
    return reported < 0
        || demand == 0 != (reported == 0)
        || demand > reported * CHANGE
        || demand * CHANGE < reported;
  }

  void reported() {
    reported = demand;
  }
}
