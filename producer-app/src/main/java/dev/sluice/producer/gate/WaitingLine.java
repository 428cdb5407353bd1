// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.gate;

import dev.sluice.flow.share.FairClock;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/**
 * Threads that wait for credit: the tenants that their tasks are for in turns, and within a tenant
 * who came first. So one that submits a hundred times as much as others through the same producer
 * does not keep them waiting. Not thread-safe.
 */
final class WaitingLine {
  /** So many tenants that have nothing waiting now are remembered, so that they take turns. */
  private static final int IDLE_MAX = 1_000;

  private final FairClock clock = new FairClock();
  private final Map<String, Tenant> waiting = new LinkedHashMap<>();
  private final Map<String, Tenant> idle =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Tenant> eldest) {
          return size() > IDLE_MAX;
        }
      };
  private int size;

  private static final class Tenant extends FairClock.Sharer {
    final String name;
    final ArrayDeque<Place> places = new ArrayDeque<>();

    Tenant(String name) {
      super(1);
      this.name = name;
    }
  }

  /** Where one thread stands. */
  static final class Place {
    private final Tenant tenant;
    private final Condition turn;

    private Place(Tenant tenant, Condition turn) {
      this.tenant = tenant;
      this.turn = turn;
    }

    void signal() {
      turn.signal();
    }
  }

  int size() {
    return size;
  }

  boolean isEmpty() {
    return size == 0;
  }

  /** A thread begins to wait. */
  Place add(String tenantName, Condition turn) {
    Tenant tenant = waiting.get(tenantName);
    if (tenant == null) {
      Tenant known = idle.remove(tenantName);
      tenant = known == null ? new Tenant(tenantName) : known;
      clock.enter(tenant);
      waiting.put(tenantName, tenant);
    }
    Place place = new Place(tenant, turn);
    tenant.places.addLast(place);
    size++;
    return place;
  }

  /** Whose turn it is; null if nobody waits. */
  @Nullable Place first() {
    Tenant best = null;
    for (Tenant tenant : waiting.values()) {
      if (best == null || tenant.tag() < best.tag()) {
        best = tenant;
      }
    }
    return best == null ? null : best.places.peekFirst();
  }

  /** It was given what it waited for. */
  void served(Place place) {
    clock.serve(place.tenant);
  }

  /** It waits no more, whatever for. */
  void remove(Place place) {
    Tenant tenant = place.tenant;
    if (tenant.places.remove(place)) {
      size--;
    }
    if (tenant.places.isEmpty() && waiting.remove(tenant.name, tenant)) {
      idle.put(tenant.name, tenant);
    }
  }

  void signalAll() {
    waiting.values().forEach(tenant -> tenant.places.forEach(Place::signal));
  }
}
