// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.flow.pause.PauseReason;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.queue.TenantsDefinition;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One queue in one worker: how many of its tasks may run at once, and its handlers. */
public final class QueueState {
  /** With tasks for so long, for every thread that it may have, more need not be read. */
  private static final long PLENTY_NANOS = 1_000_000_000;

  /** A partition with no more tasks than these is fetched even then: its turn comes, too. */
  private static final int PLENTY_DEPTH = 256;

  final String name;
  final int concurrency;
  final boolean transactional;
  private final PrioritiesDefinition priorities;
  private final @Nullable Tenants tenants;
  private final PriorityTurns.Turns turns;
  final List<HandlerState> handlers = new ArrayList<>();
  int running;
  boolean paused;

  private boolean plenty;

  /**
   * @param name of the queue
   * @param concurrency the most threads that work its tasks at once; at least 1
   */
  public QueueState(String name, int concurrency) {
    this(name, concurrency, false, PrioritiesDefinition.NONE, TenantsDefinition.NONE);
  }

  /**
   * @param transactional whether its progress is committed in the transactions of what it submits
   * @param priorities that it has
   * @param tenants whether they are served in turns
   */
  public QueueState(
      String name,
      int concurrency,
      boolean transactional,
      PrioritiesDefinition priorities,
      TenantsDefinition tenants) {
    this.priorities = priorities;
    this.tenants = tenants.on() ? new Tenants(tenants) : null;
    this.turns = new PriorityTurns.Turns(priorities);
    this.transactional = transactional;
    this.name = name;
    this.concurrency = concurrency;
  }

  /** How many priorities it has. */
  public int levels() {
    return priorities.levels();
  }

  /** Whether its tasks are served in turns, and not as they come. */
  public boolean inTurns() {
    return tenants != null || levels() > 1;
  }

  /**
   * Whether the order of its tasks may be that of their partitions, which is one by key, too: all
   * of them are for one handler, so that its batches are long, and it needs so little for each.
   */
  boolean mayWorkInLine(long mostNanos) {
    if (transactional || inTurns()) {
      return false;
    }
    boolean quick = false;
    for (HandlerState handler : handlers) {
      if (handler.counters.started > 0 || handler.ready.size() > 0) {
        if (quick || handler.typicalNanos() > mostNanos) {
          return false;
        }
        quick = true;
      }
    }
    return quick;
  }

  /** Whether tenants are served in turns. */
  public boolean hasTenants() {
    return tenants != null;
  }

  /** What holds the ready tasks of one handler. */
  ReadyTasks readyTasks() {
    return levels() > 1 ? new PriorityTurns(turns, this::readyOfLevel) : readyOfLevel();
  }

  private ReadyTasks readyOfLevel() {
    return tenants == null ? new RunQueue() : new TenantTurns(tenants);
  }

  /** Whether another handler of it that may start something has something more urgent. */
  boolean hasMoreUrgentThan(HandlerState handler, long nowNanos) {
    if (levels() == 1) {
      return false;
    }
    long urgency = handler.ready.urgency();
    for (HandlerState other : handlers) {
      if (other.ready.size() > 0 && other.ready.urgency() < urgency && !other.held(nowNanos)) {
        return true;
      }
    }
    return false;
  }

  /** The name of the queue. */
  public String name() {
    return name;
  }

  /** Whether its progress is committed in the transactions of what its handlers submit. */
  public boolean transactional() {
    return transactional;
  }

  /** The most threads that work its tasks at once. */
  public int concurrency() {
    return concurrency;
  }

  /** Threads that have tasks of it; to be used under the engine's lock. */
  public int running() {
    return running;
  }

  /** Why the ready tasks of its handlers do not start, and since how many nanoseconds. */
  Map<PauseReason, Long> held(long nowNanos) {
    Map<PauseReason, Long> held = new EnumMap<>(PauseReason.class);
    for (HandlerState handler : handlers) {
      PauseReason reason = handler.ready.size() > 0 ? handler.heldBy(nowNanos) : null;
      if (reason != null) {
        held.merge(reason, nowNanos - handler.heldSinceNanos(), Math::max);
      }
    }
    return held;
  }

  /** How long its ready tasks that may start would keep one thread busy, as far as is known. */
  long readyNanos(long nowNanos) {
    long nanos = 0;
    for (HandlerState handler : handlers) {
      if (!paused && !handler.held(nowNanos)) {
        nanos += handler.readyNanos();
      }
    }
    return nanos;
  }

  /**
   * Looks anew at how far its partitions are to be read ahead. Where tasks are served in turns,
   * what comes later may go first, and all of it is read.
   */
  void lookAhead(long nowNanos) {
    long rest = inTurns() ? 0 : readyNanos(nowNanos) / concurrency;
    plenty = rest > (plenty ? PLENTY_NANOS / 2 : PLENTY_NANOS);
  }

  /** Whether its threads have so much to do that none needs more to be read. */
  boolean hasPlenty() {
    return plenty;
  }

  /** The high watermark that its lanes should have. */
  int laneAim() {
    return plenty ? PLENTY_DEPTH : Integer.MAX_VALUE;
  }

  /** Whether every handler that has ready tasks is held back, and at least one is. */
  int heldReasons(long nowNanos) {
    int reasons = 0;
    for (HandlerState handler : handlers) {
      if (handler.ready.size() > 0) {
        int held = handler.heldReason(nowNanos);
        if (held == 0) {
          return 0;
        }
        reasons |= held;
      }
    }
    return reasons;
  }
}
