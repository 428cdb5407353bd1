// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.fleet.CreditGrant;
import dev.sluice.fleet.CreditLine;
import dev.sluice.fleet.CreditReport;
import dev.sluice.fleet.CreditSettings;
import dev.sluice.flow.credit.CreditAccount;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.time.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Room in one queue for what its own tasks submit. Nothing blocks here: a task that has returned
 * waits without a thread until there is room for all that it has submitted, and goes on then. The
 * deepest ones are given room first, and a little more than the others, so that some can always go
 * on. Thread-safe.
 */
public final class ChildRoom {
  private static final Logger LOG = LoggerFactory.getLogger(ChildRoom.class);

  /** After this long a task that belongs to somebody else by now is forgotten. */
  private static final long STALE_NANOS = TimeUnit.SECONDS.toNanos(20);

  /** The clients' time for one record, and for one more request. */
  private static final long IN_DOUBT_NANOS = TimeUnit.SECONDS.toNanos(150);

  private final String queue;

  /** With more, a task that could make room might lie behind a lane of those that wait for it. */
  private final long capacityMost;

  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();
  private final TreeMap<Integer, Depth> depths = new TreeMap<>();

  /** Tasks that were given room and have not left yet, and since when. */
  private final Map<Asking, Long> going = new IdentityHashMap<>();

  private volatile boolean bounded;

  /** Used by the fleet's thread only. */
  private boolean warned;

  private boolean news;
  private volatile Runnable waker = () -> {};

  /** A task that has submitted some. */
  public interface Asking {
    /** The generation of what it has submitted; 1 where a producer has submitted it itself. */
    int depth();

    /** How many; at least 1. */
    int children();

    /**
     * Whether it must not wait any longer, because what it belongs to ends here. May be called by
     * any thread.
     */
    boolean mustGo();

    /** Whether it is not this worker's any more. May be called by any thread. */
    boolean stale();
  }

  /**
   * A task that waits.
   *
   * @param go lets it go on; does not block
   */
  private record Waiting(Asking asking, Runnable go) {
    int children() {
      return asking.children();
    }
  }

  private static final class Depth {
    final CreditAccount account = new CreditAccount();
    final Deque<Waiting> waiting = new ArrayDeque<>();

    /** Taken since the last report: as much will be wanted until the next one. */
    long taken;
  }

  ChildRoom(QueueDefinition definition, Clock clock) {
    this.queue = definition.name();
    this.capacityMost = definition.buffer() - definition.children().allowance();
    this.clock = clock;
  }

  /** Whether tasks wait for room at all; costs next to nothing. */
  public boolean isBounded() {
    return bounded;
  }

  /** What lets the fleet's thread look here soon. */
  void wakeBy(Runnable wakes) {
    waker = wakes;
  }

  /**
   * Lets a task go on as soon as there is room; perhaps before this returns.
   *
   * @param go does that; must not block
   */
  public void ask(Asking asking, Runnable go) {
    boolean now;
    lock.lock();
    try {
      Depth depth = depths.computeIfAbsent(asking.depth(), d -> new Depth());
      now =
          !bounded
              || asking.mustGo()
              || depth.waiting.isEmpty() && take(depth, asking, clock.nanos());
      if (!now) {
        depth.waiting.add(new Waiting(asking, go));
        news = true;
      }
    } finally {
      lock.unlock();
    }
    if (now) {
      go.run();
    } else {
      waker.run();
    }
  }

  private boolean take(Depth depth, Asking asking, long nowNanos) {
    if (depth.account.available(nowNanos) < asking.children()) {
      return false;
    }
    for (int i = 0; i < asking.children(); i++) {
      boolean ignored = depth.account.take(nowNanos);
    }
    depth.taken += asking.children();
    going.put(asking, nowNanos);
    return true;
  }

  /** A task that has gone on has left; what it submitted is in the log, or never will be. */
  public void left(Asking asking) {
    lock.lock();
    try {
      settle(asking);
    } finally {
      lock.unlock();
    }
  }

  private void settle(Asking asking) {
    if (going.remove(asking) != null) {
      Depth depth = depths.get(asking.depth());
      for (int i = 0; depth != null && i < asking.children(); i++) {
        depth.account.spent();
      }
      news = true;
    }
  }

  /** Looks again at all that wait: some may have to go, or may go, by now. */
  public void look() {
    List<Runnable> go = new ArrayList<>();
    lock.lock();
    try {
      long now = clock.nanos();
      for (Depth depth : depths.values()) {
        for (Iterator<Waiting> i = depth.waiting.iterator(); i.hasNext(); ) {
          Waiting next = i.next();
          if (!bounded || next.asking().mustGo() || next.asking().stale()) {
            i.remove();
            go.add(next.go());
          }
        }
        for (Waiting next = depth.waiting.peek();
            next != null && take(depth, next.asking(), now);
            next = depth.waiting.peek()) {
          depth.waiting.remove();
          go.add(next.go());
        }
      }
      List<Asking> forgotten = new ArrayList<>();
      going.forEach(
          (asking, since) -> {
            if (now - since > STALE_NANOS && asking.stale()) {
              forgotten.add(asking);
            }
          });
      forgotten.forEach(this::settle);
    } finally {
      lock.unlock();
    }
    go.forEach(Runnable::run);
  }

  /** What holds for the queue by now. */
  void settings(CreditSettings settings) {
    boolean wanted = settings.capacity() > 0 && settings.perDepth() > 0;
    boolean visible = settings.capacity() <= capacityMost;
    if (wanted && !visible && !warned) {
      warned = true;
      LOG.warn(
          "Queue {} has a capacity of {} by now, and with its buffer its tasks can only wait for room"
              + " for what they submit up to {}: that passes the capacity by. Raise buffer.",
          queue,
          settings.capacity(),
          capacityMost);
    }
    warned &= !visible;
    lock.lock();
    try {
      bounded = wanted && visible;
    } finally {
      lock.unlock();
    }
    look();
  }

  void granted(CreditGrant grant, long leaseEndNanos, long nowNanos) {
    lock.lock();
    try {
      depths
          .computeIfAbsent(grant.line().depth(), d -> new Depth())
          .account
          .apply(grant.granted(), 0, false, leaseEndNanos, nowNanos);
    } finally {
      lock.unlock();
    }
    look();
  }

  /** Whether the fleet should hear of something soon. */
  boolean urgent() {
    lock.lock();
    try {
      return bounded && news;
    } finally {
      lock.unlock();
    }
  }

  /** How many tasks wait for room. */
  int waiting() {
    lock.lock();
    try {
      return depths.values().stream().mapToInt(depth -> depth.waiting.size()).sum();
    } finally {
      lock.unlock();
    }
  }

  List<CreditReport> reports(boolean leaving, long nowNanos) {
    lock.lock();
    try {
      news = false;
      List<CreditReport> reports = new ArrayList<>();
      depths.forEach(
          (number, depth) -> {
            CreditAccount account = depth.account;
            if (account.granted() > 0 || !depth.waiting.isEmpty()) {
              reports.add(report(number, depth, leaving, nowNanos));
            }
          });
      return reports;
    } finally {
      lock.unlock();
    }
  }

  private CreditReport report(int number, Depth depth, boolean leaving, long nowNanos) {
    CreditAccount account = depth.account;
    boolean ignored = account.valid(nowNanos); // gives back what has lapsed, before it is told
    long soon = depth.taken;
    depth.taken = 0;
    if (leaving || depth.waiting.isEmpty() && soon == 0) {
      account.close(); // nobody needs it now, and others may
    }
    long inFlight = account.inFlight();
    long wanted = soon + depth.waiting.stream().mapToLong(Waiting::children).sum();
    Waiting first = depth.waiting.peek();
    return new CreditReport(
        queue,
        account.granted(),
        account.spentTotal(),
        account.returnedTotal(),
        leaving ? 0 : inFlight + wanted,
        leaving ? 0 : depth.waiting.size(),
        0,
        0,
        CreditLine.depth(number),
        leaving || first == null ? 0 : inFlight + first.children(),
        IN_DOUBT_NANOS);
  }
}
