// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.gate;

import dev.sluice.fleet.CreditGrant;
import dev.sluice.fleet.CreditLine;
import dev.sluice.fleet.CreditReport;
import dev.sluice.flow.credit.CreditAccount;
import dev.sluice.time.Clock;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The credit of this producer for one priority of one queue, and the threads that wait for it:
 * those with critical tasks before those with sheddable ones, among these the tenants in turns, and
 * of one tenant who came first. Thread-safe.
 */
public final class QueueCredit {
  /** What asking for credit came to. */
  public enum Answer {
    /** There is no bound, or one credit was taken: see {@link QueueCredit#settle}. */
    GRANTED,
    /** There was none in time. */
    FULL,
    /** Nobody answers: there is no coordinator, and what was kept for that time is spent. */
    NO_COORDINATOR,
    /** The queue is sealed: nothing comes in. */
    SEALED,
    /** The producer is closed. */
    CLOSED
  }

  private static final double SECOND = 1e9;
  private static final long LEAST = 32;
  private static final long KEEP_IDLE = 16;
  private static final double AHEAD_SECONDS = 0.5;
  private static final double LOW_SECONDS = 0.4;
  private static final double GROWTH = 2;
  private static final double MEMORY_SECONDS = 0.5;
  private static final long DECAY_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long FIRST_ANSWER_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final String queue;
  private final CreditLine line;
  private final Clock clock;
  private final Runnable wake;
  private final ReentrantLock lock = new ReentrantLock();
  private final CreditAccount account = new CreditAccount();
  private final WaitingLine critical = new WaitingLine();
  private final WaitingLine sheddable = new WaitingLine();
  private final long bornNanos;
  private volatile boolean bounded;
  private boolean sealed;
  private volatile boolean closed;
  private boolean answered;
  private long taken;
  private long waitedNanos;
  private long waitingSinceSum;
  private boolean waitedSinceReport;
  private long lastTaken;
  private long lastLookNanos;
  private long lastTakenNanos;
  private long decayedNanos;
  private double rate;
  private long fleetWaiting;
  private double fleetRate;

  QueueCredit(String queue, int priority, boolean bounded, Clock clock, Runnable wake) {
    this.queue = queue;
    this.line = CreditLine.priority(priority);
    this.bounded = bounded;
    this.clock = clock;
    this.wake = wake;
    this.bornNanos = clock.nanos();
    this.lastLookNanos = bornNanos;
    this.lastTakenNanos = bornNanos;
    this.decayedNanos = bornNanos;
  }

  // ---- submitting ----

  /**
   * Takes the credit for one task, if the queue has a bound at all.
   *
   * @param mayShed whether the task may be refused first
   * @param tenant that it is for
   * @param maxWaitNanos how long at most
   * @param ticket remembers whether there is something to settle
   */
  Answer take(boolean mayShed, String tenant, long maxWaitNanos, CreditTicket ticket)
      throws InterruptedException {
    lock.lock();
    try {
      if (sealed) {
        return Answer.SEALED;
      }
      if (!bounded) {
        return closed ? Answer.CLOSED : Answer.GRANTED;
      }
      long start = clock.nanos();
      // The very first question needs one round trip, also for those who do not want to wait.
      long patience =
          answered ? maxWaitNanos : Math.max(maxWaitNanos, bornNanos + FIRST_ANSWER_NANOS - start);
      if (nobodyBefore(mayShed, null) && takeNow(mayShed, start, ticket)) {
        return Answer.GRANTED;
      }
      if (closed) {
        return Answer.CLOSED;
      }
      return patience <= 0 ? refusal(start) : await(mayShed, tenant, patience, start, ticket);
    } finally {
      lock.unlock();
    }
  }

  private Answer await(
      boolean mayShed, String tenant, long patience, long start, CreditTicket ticket)
      throws InterruptedException {
    WaitingLine line = mayShed ? sheddable : critical;
    Condition turn = lock.newCondition();
    WaitingLine.Place place = line.add(tenant, turn);
    waitingSinceSum += start - bornNanos;
    waitedSinceReport = true;
    if (critical.size() + sheddable.size() == 1) {
      wake.run();
    }
    try {
      while (true) {
        long now = clock.nanos();
        if (closed) {
          return Answer.CLOSED;
        }
        if (sealed) {
          return Answer.SEALED;
        }
        if (!bounded || nobodyBefore(mayShed, place) && takeNow(mayShed, now, ticket)) {
          line.served(place);
          return Answer.GRANTED;
        }
        long limit = answered ? Math.min(patience, ticket.maxWaitNanos) : patience;
        long left = limit == Long.MAX_VALUE ? LOOK_NANOS : limit - (now - start);
        if (left <= 0) {
          return refusal(now);
        }
        long ignored = turn.awaitNanos(Math.min(left, LOOK_NANOS));
      }
    } finally {
      line.remove(place);
      long now = clock.nanos();
      waitedNanos += now - start;
      waitingSinceSum -= start - bornNanos;
      signalNext();
    }
  }

  private boolean nobodyBefore(boolean mayShed, WaitingLine.@Nullable Place self) {
    if (mayShed && !critical.isEmpty()) {
      return false;
    }
    WaitingLine.Place first = (mayShed ? sheddable : critical).first();
    return first == null || first == self;
  }

  private boolean takeNow(boolean mayShed, long now, CreditTicket ticket) {
    if (closed || mayShed && !account.sheddable(now) || !account.take(now)) {
      return false;
    }
    taken++;
    lastTakenNanos = now;
    ticket.taken(this);
    return true;
  }

  private Answer refusal(long now) {
    return account.valid(now) ? Answer.FULL : Answer.NO_COORDINATOR;
  }

  private void signalNext() {
    WaitingLine.Place next = critical.isEmpty() ? sheddable.first() : critical.first();
    if (next != null) {
      next.signal();
    }
    WaitingLine.Place shed = sheddable.first();
    if (shed != null && shed != next) {
      shed.signal();
    }
  }

  /**
   * The fate of a task that took credit is decided.
   *
   * @param published whether it is in the log, or may be
   */
  void settle(boolean published) {
    lock.lock();
    try {
      if (published) {
        account.spent();
      } else {
        account.unused();
      }
    } finally {
      lock.unlock();
    }
  }

  // ---- the fleet ----

  /** Whether the queue has a bound, and whether it is sealed, as the settings say. */
  void settings(boolean isBounded, boolean isSealed) {
    lock.lock();
    try {
      bounded = isBounded;
      sealed = isSealed;
      signalAll();
    } finally {
      lock.unlock();
    }
  }

  boolean isBounded() {
    lock.lock();
    try {
      return bounded;
    } finally {
      lock.unlock();
    }
  }

  void granted(CreditGrant grant, long leaseEndNanos, long nowNanos) {
    lock.lock();
    try {
      answered = true;
      account.apply(grant.granted(), grant.escrow(), grant.sheddable(), leaseEndNanos, nowNanos);
      fleetWaiting = grant.waiting();
      fleetRate = grant.milliRate() / 1_000.0;
      signalNext();
    } finally {
      lock.unlock();
    }
  }

  private void signalAll() {
    critical.signalAll();
    sheddable.signalAll();
  }

  /** Whether somebody waits and should not have to wait for the next regular report. */
  boolean urgent(long nowNanos) {
    lock.lock();
    try {
      boolean waits = !critical.isEmpty() || !sheddable.isEmpty();
      // A report may have to wait for a quarter of a second, and its answer for a tenth.
      boolean low = account.available(nowNanos) < rate * LOW_SECONDS;
      return bounded && (waits || !answered || low);
    } finally {
      lock.unlock();
    }
  }

  CreditReport report(boolean leaving, long inDoubtNanos, long nowNanos) {
    lock.lock();
    try {
      long waiting = critical.size() + sheddable.size();
      boolean held = waiting > 0 || waitedSinceReport;
      measure(nowNanos);
      if (leaving) {
        account.close();
      } else if (waiting == 0
          && nowNanos - lastTakenNanos > DECAY_NANOS
          && nowNanos - decayedNanos > DECAY_NANOS) {
        decayedNanos = nowNanos;
        account.decay(KEEP_IDLE, nowNanos);
      }
      boolean settled = account.valid(nowNanos); // gives back what has lapsed, before it is told
      double ahead = rate * AHEAD_SECONDS * (held && settled ? GROWTH : 1.25);
      long pocket = held ? LEAST : KEEP_IDLE;
      long demand =
          leaving ? 0 : account.inFlight() + waiting + Math.max(pocket, (long) Math.ceil(ahead));
      long shed = critical.isEmpty() && !sheddable.isEmpty() ? demand - account.inFlight() : 0;
      waitedSinceReport = waiting > 0;
      return new CreditReport(
          queue,
          account.granted(),
          account.spentTotal(),
          account.returnedTotal(),
          demand,
          waiting,
          Math.max(0, shed),
          TimeUnit.NANOSECONDS.toMillis(waitedNanos(nowNanos)),
          line,
          0,
          inDoubtNanos);
    } finally {
      lock.unlock();
    }
  }

  private void measure(long nowNanos) {
    double seconds = (nowNanos - lastLookNanos) / SECOND;
    if (seconds < 0.02) {
      return;
    }
    double part = 1 - Math.exp(-seconds / MEMORY_SECONDS);
    rate += part * ((taken - lastTaken) / seconds - rate);
    lastTaken = taken;
    lastLookNanos = nowNanos;
  }

  private long waitedNanos(long nowNanos) {
    long waiting = critical.size() + sheddable.size();
    return waitedNanos + waiting * (nowNanos - bornNanos) - waitingSinceSum;
  }

  void close() {
    lock.lock();
    try {
      closed = true;
      signalAll();
    } finally {
      lock.unlock();
    }
  }

  // ---- what others may see ----

  /** How long threads have waited for credit, all together, in nanoseconds. */
  public long waitedNanos() {
    lock.lock();
    try {
      return waitedNanos(clock.nanos());
    } finally {
      lock.unlock();
    }
  }

  /** How long somebody who comes now would wait, from the rate at which the fleet drains. */
  double waitSeconds() {
    lock.lock();
    try {
      long ahead = Math.max(fleetWaiting, critical.size() + sheddable.size()) + 1;
      return fleetRate <= 0 ? Double.POSITIVE_INFINITY : ahead / fleetRate;
    } finally {
      lock.unlock();
    }
  }
}
