// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.gate;

import dev.sluice.fleet.CreditGrant;
import dev.sluice.fleet.CreditReport;
import dev.sluice.fleet.DeclaredQueue;
import dev.sluice.fleet.FleetSettings;
import dev.sluice.fleet.Grant;
import dev.sluice.fleet.kafka.Participant;
import dev.sluice.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * Where a producer gets the credit for its tasks: it takes part in the fleet, reports what it
 * wants, and hands out what it is granted. Thread-safe; at most {@value #QUEUES_MAX} queues.
 */
public final class CreditDesk implements Participant {
  static final int QUEUES_MAX = 10_000;
  private static final long SETTINGS_WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final long SETTINGS_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final double JITTER = 0.2;
  private static final double WAIT_SECONDS_MIN = 1;
  private static final double WAIT_SECONDS_MAX = 60;

  private final Map<String, QueueCredits> queues = new ConcurrentHashMap<>();
  private final Map<String, Long> ownCapacities;
  private final Cancels cancels = new Cancels();
  private final Clock clock;
  private final RandomGenerator random;
  private final long inDoubtNanos;
  private final long firstWaitNanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition known = lock.newCondition();
  private volatile Runnable wake = () -> {};
  private volatile FleetSettings settings = FleetSettings.EMPTY;
  private volatile boolean answered;
  private volatile boolean settingsRead;
  private volatile boolean closed;
  private long lookedNanos;

  /**
   * @param ownCapacities capacities that this producer was configured with, by queue
   * @param inDoubtNanos how long after a lapse a task of its may still arrive in the log
   * @param firstWaitNanos how long a first submit waits at most to learn whether there is a fleet
   */
  public CreditDesk(
      Map<String, Long> ownCapacities,
      long inDoubtNanos,
      long firstWaitNanos,
      Clock clock,
      RandomGenerator random) {
    this.ownCapacities = Map.copyOf(ownCapacities);
    this.inDoubtNanos = inDoubtNanos;
    this.firstWaitNanos = firstWaitNanos;
    this.clock = clock;
    this.random = random;
    this.lookedNanos = clock.nanos();
  }

  /** A desk without a fleet: nothing has a bound. */
  public static CreditDesk withoutFleet(Clock clock, RandomGenerator random) {
    CreditDesk desk = new CreditDesk(Map.of(), 0, 0, clock, random);
    desk.answered = true;
    return desk;
  }

  /** What lets the fleet's thread look here soon. */
  public void wakeBy(Runnable waker) {
    wake = waker;
  }

  // ---- submitting ----

  /**
   * Takes the credit for one task.
   *
   * @param tenant that the task is for; of those that wait, tenants are served in turns
   * @param ticket to be settled when the fate of the task is decided; says how long it may wait
   * @param mayShed whether the task may be refused first
   * @param priority of the task; each has credit of its own, so that no task waits for room behind
   *     less urgent ones
   */
  public QueueCredit.Answer take(
      String queue, String tenant, CreditTicket ticket, boolean mayShed, int priority)
      throws InterruptedException {
    long start = clock.nanos();
    if (!answered) {
      awaitAnswer();
    }
    QueueCredit credit = credit(queue, levelOf(queue, priority));
    long left =
        ticket.maxWaitNanos == Long.MAX_VALUE
            ? Long.MAX_VALUE
            : Math.max(0, ticket.maxWaitNanos - (clock.nanos() - start));
    return credit.take(mayShed, tenant, left, ticket);
  }

  private int levelOf(String queue, int priority) {
    if (priority == 0) {
      return 0;
    }
    DeclaredQueue declared = settings.declared().get(queue);
    return declared == null ? 0 : Math.min(priority, declared.priorities().levels() - 1);
  }

  private void awaitAnswer() throws InterruptedException {
    lock.lock();
    try {
      long left = firstWaitNanos;
      while (!answered && !closed && left > 0) {
        left = known.awaitNanos(left);
      }
      // Whoever comes later need not wait again: without an answer there is no broker either.
      answered = true;
    } finally {
      lock.unlock();
    }
  }

  private QueueCredit credit(String queue, int priority) {
    QueueCredits known = queues.get(queue);
    if (known == null) {
      if (queues.size() >= QUEUES_MAX) {
        throw new IllegalStateException(
            "One producer serves at most " + QUEUES_MAX + " queues; use several");
      }
      known = queues.computeIfAbsent(queue, q -> new QueueCredits());
    }
    QueueCredit credit = known.get(priority);
    return credit == null ? made(queue, known, priority) : credit;
  }

  private QueueCredit made(String queue, QueueCredits credits, int priority) {
    QueueCredit made =
        credits.get(
            priority, p -> new QueueCredit(queue, p, isBounded(queue), clock, () -> wake.run()));
    made.settings(isBounded(queue), isSealed(queue)); // they may have changed meanwhile
    if (closed) {
      made.close();
    }
    if (made.isBounded()) {
      wake.run();
    }
    return made;
  }

  private boolean isSealed(String queue) {
    return settings.sealed(queue, clock.epochMillis());
  }

  private boolean isBounded(String queue) {
    return settings.declared().containsKey(queue)
        ? settings.credit(queue, clock.epochMillis()).capacity() > 0
        : ownCapacities.getOrDefault(queue, 0L) > 0;
  }

  /** When somebody who was refused should come again: tasks ahead by the rate, jittered. */
  public Duration retryAfter(String queue) {
    double bounded = Math.max(WAIT_SECONDS_MIN, Math.min(WAIT_SECONDS_MAX, waitSeconds(queue)));
    double jittered = bounded * (1 + JITTER * (2 * random.nextDouble() - 1));
    return Duration.ofMillis(
        Math.round(1_000 * Math.max(WAIT_SECONDS_MIN, Math.min(WAIT_SECONDS_MAX, jittered))));
  }

  private double waitSeconds(String queue) {
    QueueCredits credits = queues.get(queue);
    double[] longest = {0};
    if (credits != null) {
      credits.each(credit -> longest[0] = Math.max(longest[0], credit.waitSeconds()));
    }
    return longest[0];
  }

  private void each(Consumer<QueueCredit> action) {
    queues.values().forEach(credits -> credits.each(action));
  }

  /** How the workers of a queue have declared it; empty where none is known. */
  public Optional<DeclaredQueue> declared(String queue) {
    return Optional.ofNullable(settings.declared().get(queue));
  }

  /** The same, after the first answer of the fleet, or after it did not come in time. */
  public Optional<DeclaredQueue> awaitDeclared(String queue) throws InterruptedException {
    if (!answered) {
      awaitAnswer();
    }
    return declared(queue);
  }

  /** Wishes to cancel tasks, and their answers. */
  public Cancels cancels() {
    return cancels;
  }

  /**
   * Waits for the settings of the fleet: its topics may be there only since a moment ago.
   *
   * @param mostNanos how long at most; never longer than 10 s
   * @return whether they are there
   */
  public boolean awaitSettings(long mostNanos) throws InterruptedException {
    wake.run();
    lock.lock();
    try {
      long left = Math.min(mostNanos, SETTINGS_WAIT_NANOS);
      while (!settingsRead && !closed && left > 0) {
        left = known.awaitNanos(left);
      }
      return settingsRead;
    } finally {
      lock.unlock();
    }
  }

  /** How long threads have waited for credit, all queues together. */
  public Duration waited() {
    long[] nanos = {0};
    each(credit -> nanos[0] += credit.waitedNanos());
    return Duration.ofNanos(nanos[0]);
  }

  /** From now on nothing is granted, and who waits is told so. */
  public void close() {
    lock.lock();
    try {
      closed = true;
      known.signalAll();
    } finally {
      lock.unlock();
    }
    each(QueueCredit::close);
  }

  // ---- the fleet ----

  @Override
  public void settings(FleetSettings changed) {
    settings = changed;
    settingsRead = true;
    cancels.settings(changed);
    applySettings();
    answer();
  }

  @Override
  public void noSettings() {
    // What is known stays: a bound does not end because the control topics are away.
    answer();
  }

  private void answer() {
    lock.lock();
    try {
      answered = true;
      known.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void applySettings() {
    queues.forEach(
        (queue, credits) -> {
          boolean bounded = isBounded(queue);
          boolean sealed = isSealed(queue);
          credits.each(credit -> credit.settings(bounded, sealed));
        });
  }

  @Override
  public List<DeclaredQueue> declare(FleetSettings present) {
    return List.of(); // the group of the workers is theirs to say
  }

  @Override
  public void granted(Grant grant, long leaseEndNanos, long nowNanos) {
    for (CreditGrant each : grant.credits()) {
      QueueCredits credits = queues.get(each.queue());
      QueueCredit credit = credits == null ? null : credits.get(each.line().priority());
      if (credit != null && each.line().depth() == 0) {
        credit.granted(each, leaseEndNanos, nowNanos);
      }
    }
  }

  @Override
  public void leasesOver(long nowNanos) {
    // Credit was counted from the task topic and what is reported, so it lapses like any other.
  }

  @Override
  public boolean urgent(long nowNanos) {
    if (settingsRead && nowNanos - lookedNanos > SETTINGS_NANOS) {
      lookedNanos = nowNanos;
      applySettings(); // some may have expired
    }
    boolean[] urgent = {false};
    each(credit -> urgent[0] = urgent[0] || credit.urgent(nowNanos));
    return urgent[0];
  }

  @Override
  public Content content(boolean leaving, long nowNanos) {
    List<CreditReport> reports = new ArrayList<>();
    each(
        credit -> {
          if (credit.isBounded()) {
            reports.add(credit.report(leaving, inDoubtNanos, nowNanos));
          }
        });
    return new Content(List.of(), reports, List.of());
  }
}
