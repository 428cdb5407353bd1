// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Who is the coordinator, as the log says: the first claim of the greatest counter in partition 0.
 * A candidate claims when it has heard nothing of the present coordinator for 2 s and a random part
 * of a second, though it could read. Pure; not thread-safe.
 *
 * <p>Membership in a consumer group cannot do this: a member of a KIP-848 group is declared dead
 * after 45 s on a stock broker.
 */
public final class Election {
  static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(2);
  static final long SPREAD_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long FIRST_SPREAD_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  private final String incarnation;
  private final String name;
  private final RandomGenerator random;
  private @Nullable Epoch leader;
  private long greatest;
  private long heardNanos;
  private long patienceNanos;

  /**
   * @param incarnation of this process
   * @param name of this process, for people
   * @param random spreads the candidates
   */
  public Election(String incarnation, String name, RandomGenerator random, long nowNanos) {
    this.incarnation = incarnation;
    this.name = name;
    this.random = random;
    this.heardNanos = nowNanos;
    this.patienceNanos = (long) (random.nextDouble() * FIRST_SPREAD_NANOS);
  }

  /**
   * A claim was read in partition 0.
   *
   * @return whether it won
   */
  public boolean claimed(String topicId, Claim claim, long offset, long nowNanos) {
    if (claim.counter() <= greatest) {
      return false;
    }
    greatest = claim.counter();
    leader = new Epoch(topicId, claim.counter(), offset, claim.incarnation());
    heard(nowNanos);
    return true;
  }

  /** A record of a coordinator was read. */
  public void batch(Epoch epoch, long nowNanos) {
    Epoch known = leader;
    if (known == null || epoch.isAfter(known)) {
      // The claim itself was compacted away, or is in another partition.
      leader = epoch;
      greatest = Math.max(greatest, epoch.counter());
      heard(nowNanos);
    } else if (epoch.equals(known)) {
      heard(nowNanos);
    }
  }

  private void heard(long nowNanos) {
    heardNanos = nowNanos;
    patienceNanos = SILENCE_NANOS + (long) (random.nextDouble() * SPREAD_NANOS);
  }

  /**
   * Whether to claim now. A claim that was made is not made again before the same patience.
   *
   * @param caughtUp whether everything that the log had a moment ago was read: a process that was
   *     stopped has silence behind it only because it did not listen
   */
  public Optional<Claim> claim(boolean caughtUp, long nowNanos) {
    if (!caughtUp || nowNanos - heardNanos < patienceNanos) {
      return Optional.empty();
    }
    heard(nowNanos);
    return Optional.of(new Claim(greatest + 1, incarnation, name));
  }

  /** The present epoch, if there is one. */
  public Optional<Epoch> leader() {
    return Optional.ofNullable(leader);
  }

  /** The epoch that this process has won and nobody has superseded. */
  public Optional<Epoch> own() {
    Epoch known = leader;
    return known != null && known.incarnation().equals(incarnation)
        ? Optional.of(known)
        : Optional.empty();
  }

  /** The topic is another one: everything is forgotten. */
  public void reset(long nowNanos) {
    leader = null;
    greatest = 0;
    heardNanos = nowNanos;
    patienceNanos = (long) (random.nextDouble() * FIRST_SPREAD_NANOS);
  }
}
