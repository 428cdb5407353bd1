// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.limit.TokenBucket;
import dev.sluice.queue.TenantDefinition;
import dev.sluice.queue.TenantsDefinition;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The tenants of one queue that have tasks here, or had some lately: what each has running, and
 * what it may start. Those that have nothing are forgotten when there are many. Not thread-safe.
 */
final class Tenants {
  private static final int KNOWN_MAX = 10_000;
  private static final int BURSTS_PER_SECOND = 10;

  private final TenantsDefinition definition;
  private final Map<String, Tenant> known = new HashMap<>();
  private int forgetAt = KNOWN_MAX;

  Tenants(TenantsDefinition definition) {
    this.definition = definition;
  }

  /** One of them. */
  static final class Tenant {
    final String name;
    final TenantDefinition definition;

    /** Its lines that have runs, and the runs of it that are with threads. */
    int uses;

    /** Those of them that wait for the end of one of its runs. */
    private final List<TenantTurns.Line> full = new ArrayList<>(0);

    private int running;
    private @Nullable TokenBucket bucket;

    Tenant(String name, TenantDefinition definition) {
      this.name = name;
      this.definition = definition;
    }

    /** Takes what one start needs; returns as {@link Limit#tryAcquire} does. */
    long tryStart(long nowNanos) {
      if (definition.concurrency().isPresent() && running >= definition.concurrency().getAsInt()) {
        return Limit.UNTIL_RELEASE;
      }
      if (definition.rate().isPresent()) {
        TokenBucket own = bucket;
        if (own == null) {
          double rate = definition.rate().getAsDouble();
          long burst = Math.max(1, (long) Math.ceil(rate / BURSTS_PER_SECOND));
          own = new TokenBucket(rate, burst, nowNanos);
          bucket = own;
        }
        long wait = own.tryAcquire(1, nowNanos);
        if (wait > 0) {
          return wait;
        }
      }
      running++;
      uses++;
      return Limit.GRANTED;
    }

    void notStarted() {
      if (bucket != null) {
        bucket.cancel(1);
      }
      ended();
    }

    void ended() {
      running--;
      uses--;
      for (int i = full.size() - 1; i >= 0; i--) {
        full.remove(i).mayGoOn();
      }
    }

    void tellWhenOneEnds(TenantTurns.Line line) {
      full.add(line);
    }

    void forget(TenantTurns.Line line) {
      full.remove(line);
    }
  }

  Tenant of(String name) {
    Tenant tenant = known.get(name);
    if (tenant == null) {
      if (known.size() >= forgetAt) {
        known.values().removeIf(idle -> idle.uses == 0);
        forgetAt = Math.max(KNOWN_MAX, 2 * known.size()); // those that stay are in the lanes
      }
      tenant = new Tenant(name, definition.of(name));
      known.put(name, tenant);
    }
    return tenant;
  }
}
