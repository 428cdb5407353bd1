// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.kafka;

import dev.sluice.SluiceException;
import dev.sluice.fleet.HolderState;
import dev.sluice.fleet.ProtocolRule;
import dev.sluice.fleet.Report;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.time.Clock;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of a process that takes part in the fleet: one thread that reads grants and settings and
 * writes reports. A worker's also stands for election, and coordinates where it was elected.
 * Thread-safe.
 *
 * <p>Whatever fails here, the process goes on: shares lapse, and what they cover waits.
 */
public final class FleetMember implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FleetMember.class);
  private static final Duration ADMIN_TIMEOUT = Duration.ofSeconds(10);
  private static final long BACKOFF_NANOS_MIN = TimeUnit.MILLISECONDS.toNanos(200);
  private static final long BACKOFF_NANOS_MAX = TimeUnit.SECONDS.toNanos(2);
  private static final long LASTED_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final long CLOSE_MILLIS = 2_000;

  private final KafkaSettings kafka;
  private final FleetDefinition fleet;
  private final Identity identity;
  private final Participant participant;
  private final Clock clock;
  private final RandomGenerator random;
  private final FleetCounters counters = new FleetCounters();

  /** Lives longer than a session: the numbers of reports are never used again. */
  private final HolderState holder;

  private String grantsId = "";
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final CountDownLatch ended = new CountDownLatch(1);
  private boolean started;
  private volatile boolean closing;
  private volatile @Nullable MemberSession session;
  private volatile String trouble = "";

  /**
   * Who takes part.
   *
   * @param name for people
   * @param incarnation 128 random bits in hexadecimal, drawn at the start of the process
   * @param kind whether it works or submits; workers stand for election
   */
  public record Identity(String name, String incarnation, Report.Kind kind) {
    /** An identity of a process that starts now. */
    public static Identity draw(String name, Report.Kind kind, RandomGenerator random) {
      return new Identity(
          name, String.format("%016x%016x", random.nextLong(), random.nextLong()), kind);
    }
  }

  /** A member that is not started yet. */
  public FleetMember(
      KafkaSettings kafka,
      FleetDefinition fleet,
      Identity identity,
      Participant participant,
      Clock clock,
      RandomGenerator random) {
    this.kafka = kafka;
    this.fleet = fleet;
    this.identity = identity;
    this.participant = participant;
    this.clock = clock;
    this.random = random;
    this.holder = new HolderState(identity.incarnation(), ProtocolRule.ALL);
  }

  /** Starts its thread; a second call does nothing. */
  public void start() {
    lock.lock();
    try {
      if (started || closing) {
        return;
      }
      started = true;
      Thread thread = new Thread(this::run, "sluice-fleet-" + identity.name());
      thread.setDaemon(true);
      thread.start();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    long backoff = BACKOFF_NANOS_MIN;
    try {
      while (!closing) {
        long begun = clock.nanos();
        try (ControlTopics topics = new ControlTopics(kafka, fleet, ADMIN_TIMEOUT)) {
          // One client for as long as it works, also while there is no fleet to take part in.
          while (!closing) {
            begun = clock.nanos();
            runSession(topics);
            backoff = awaitNext(begun, backoff);
          }
        } catch (RuntimeException e) {
          if (!closing) {
            report(e);
            participant.noSettings();
          }
        }
        backoff = awaitNext(begun, backoff);
      }
    } finally {
      ended.countDown();
    }
  }

  /** Waits before the next try; returns how long to wait before the one after it. */
  private long awaitNext(long begunNanos, long backoffNanos) {
    boolean lasted = clock.nanos() - begunNanos > LASTED_NANOS;
    long wait = lasted ? BACKOFF_NANOS_MIN : backoffNanos;
    await(wait);
    return Math.min(BACKOFF_NANOS_MAX, wait * 2);
  }

  private void runSession(ControlTopics topics) {
    ControlTopics.Found found = find(topics);
    if (found == null) {
      return;
    }
    if (!found.grantsId().equals(grantsId)) {
      // Another topic: its epochs have nothing to do with those that were seen.
      grantsId = found.grantsId();
      holder.reset();
      participant.leasesOver(clock.nanos());
    }
    try (MemberSession present =
        new MemberSession(
            kafka, fleet, identity, holder, found, participant, clock, random, counters)) {
      session = present;
      trouble = "";
      present.run(topics, () -> closing);
    } finally {
      session = null;
    }
  }

  private ControlTopics.@Nullable Found find(ControlTopics topics) {
    if (identity.kind() == Report.Kind.WORKER) {
      return topics.ensure(participant.longestHoldNanos());
    }
    // A producer takes part where there is a fleet; it does not make one.
    ControlTopics.Found found = topics.find();
    if (found == null) {
      participant.noSettings();
    }
    return found;
  }

  private void report(RuntimeException e) {
    String text = String.valueOf(e.getMessage());
    if (!text.equals(trouble)) {
      trouble = text;
      if (e instanceof SluiceException) {
        LOG.warn("[{}] Not in the fleet: {}", identity.name(), text);
      } else {
        LOG.warn("[{}] Not in the fleet for now", identity.name(), e);
      }
    }
  }

  private void await(long nanos) {
    lock.lock();
    try {
      long left = nanos;
      while (!closing && left > 0) {
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      closing = true;
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /** Lets the thread look at the participant soon: something urgent happened. */
  public void wake() {
    MemberSession present = session;
    if (present != null) {
      present.wake();
    }
  }

  /** What keeps it out of the fleet; empty if nothing does. */
  public String trouble() {
    return trouble;
  }

  /** What it counts. */
  public FleetCounters counters() {
    return counters;
  }

  /** Who takes part. */
  public Identity identity() {
    return identity;
  }

  /** Gives everything up, says so, and ends the thread; waits at most about 2 s. */
  @Override
  public void close() {
    lock.lock();
    try {
      closing = true;
      changed.signalAll();
      if (!started) {
        ended.countDown();
      }
    } finally {
      lock.unlock();
    }
    wake();
    try {
      if (!ended.await(CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
        LOG.debug("[{}] The fleet's thread is still ending", identity.name());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
