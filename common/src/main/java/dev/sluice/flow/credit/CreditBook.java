// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.credit;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The credit that producers have for one queue. The giver's side; not thread-safe.
 *
 * <p>With G granted, Q returned unused, U spent (in the log, or possibly so), A appended to the log
 * and D finished:
 *
 * <pre>backlog + outstanding = (A − D) + (G − Q − U)</pre>
 *
 * <p>A credit that was spent stays counted until its task is finished: first as outstanding, then
 * as backlog. So that no task is missed between the two, a sample takes U first, then D, then A;
 * what is stale then only makes the sum too large. Credit granted after U was taken is added.
 *
 * <p>Invalid: to count a spent credit as free at once, because the backlog seen is older than the
 * spending. At a capacity of 10,000 that let in 19,750.
 */
public final class CreditBook {
  private final Map<String, Account> accounts = new HashMap<>();
  private final boolean conserve;
  private long grantedTotal;
  private long settledTotal;
  private long grantedEver;
  private @Nullable Sample present;
  private long backlog;

  private static final class Account {
    long granted;
    long settled;
  }

  /** The moment at which U was taken; to be completed with D and A that were read after it. */
  public static final class Sample {
    private final long outstanding;
    private final long grantedEver;

    private Sample(long outstanding, long grantedEver) {
      this.outstanding = outstanding;
      this.grantedEver = grantedEver;
    }
  }

  /** An empty book. */
  public CreditBook() {
    this(true);
  }

  /**
   * @param conserve false frees spent credit before the backlog shows it, which breaks the
   *     capacity, and exists so that the simulation can show that it does
   */
  public CreditBook(boolean conserve) {
    this.conserve = conserve;
  }

  /** A producer reported its counts, which only grow. */
  public void reported(String producer, long granted, long spent, long returned) {
    Account account = accounts.computeIfAbsent(producer, p -> new Account());
    raise(account, granted, Math.min(spent + returned, Math.max(granted, account.granted)));
  }

  /** What an earlier giver granted to a producer, and knew to be settled. */
  public void readBack(String producer, long granted, long settled) {
    raise(accounts.computeIfAbsent(producer, p -> new Account()), granted, settled);
  }

  private void raise(Account account, long granted, long settled) {
    if (granted > account.granted) {
      grantedTotal += granted - account.granted;
      grantedEver += granted - account.granted;
      account.granted = granted;
    }
    if (settled > account.settled) {
      settledTotal += settled - account.settled;
      account.settled = settled;
    }
  }

  /** Grants more credit to a producer; returns all that it has been granted. */
  public long grant(String producer, long more) {
    if (more < 0) {
      throw new IllegalArgumentException("A grant of " + more);
    }
    Account account = accounts.computeIfAbsent(producer, p -> new Account());
    account.granted += more;
    grantedTotal += more;
    grantedEver += more;
    return account.granted;
  }

  /** All that a producer has been granted. */
  public long granted(String producer) {
    Account account = accounts.get(producer);
    return account == null ? 0 : account.granted;
  }

  /** How much of that is known to be spent or returned. */
  public long settled(String producer) {
    Account account = accounts.get(producer);
    return account == null ? 0 : account.settled;
  }

  /** What a producer has and has not spent, as far as it is known. */
  public long outstanding(String producer) {
    Account account = accounts.get(producer);
    return account == null ? 0 : account.granted - account.settled;
  }

  /** The same of all. */
  public long outstanding() {
    return grantedTotal - settledTotal;
  }

  /**
   * A producer is gone for so long that it may use no more than {@code rest} of what it had; where
   * that is nothing it is forgotten.
   */
  public void lapsed(String producer, long rest) {
    Account account = accounts.get(producer);
    if (account == null) {
      return;
    }
    raise(account, account.granted, Math.max(account.settled, account.granted - rest));
    if (rest == 0) {
      accounts.remove(producer);
      grantedTotal -= account.granted;
      settledTotal -= account.settled;
    }
  }

  /** Takes U; D and A have to be read after this. */
  public Sample sample() {
    return new Sample(outstanding(), grantedEver);
  }

  /**
   * D and A were read.
   *
   * @param finished how many tasks had ended in some way
   * @param appended how many records the log had
   */
  public void sampled(Sample sample, long finished, long appended) {
    present = sample;
    backlog = Math.max(0, appended - finished);
  }

  /** Whether there was a sample: before that, nothing can be said. */
  public boolean known() {
    return present != null;
  }

  /** Nothing is known any more: the topic is another one. */
  public void unknown() {
    present = null;
  }

  /** Tasks in the log that had not ended, by the last sample. */
  public long backlog() {
    return backlog;
  }

  /** The most that backlog and outstanding credit can be together. */
  public long used() {
    Sample sample = present;
    if (sample == null) {
      return Long.MAX_VALUE;
    }
    if (!conserve) {
      return backlog + outstanding();
    }
    return backlog + sample.outstanding + grantedEver - sample.grantedEver;
  }
}
