// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CommitPaceTest {
  private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
  private static final long INTERVAL = 100 * MILLI;
  private static final long EARLY = 8 * MILLI;
  private static final long STEP = TimeUnit.MICROSECONDS.toNanos(10);

  private final CommitPace pace = new CommitPace();
  private long now = 7;
  private long lastSent = now;
  private long answerDue = Long.MAX_VALUE;
  private long unacknowledged;
  private long inCommit;
  private double part;

  @Test
  void nothingStartsOnceTooMuchWaitsForACommitUntilItIsAnswered() {
    end(CommitPace.BOUND_LEAST - 1);
    assertThat(pace.holds(now)).isFalse();
    assertThat(pace.ended()).as("the poll thread is to look").isTrue();
    assertThat(pace.holds(now)).isTrue();
    pace.taken();
    pace.sent(now);
    assertThat(pace.holds(now)).as("it is sent, and not acknowledged").isTrue();
    pace.answered(now + MILLI);
    assertThat(pace.holds(now)).isFalse();
  }

  @Test
  void aCommitThatIsNotAnsweredHoldsForABoundedTime() {
    end(CommitPace.BOUND_LEAST);
    pace.taken();
    pace.sent(now);
    assertThat(pace.holds(now)).isTrue();
    assertThat(pace.holds(now + CommitPace.HOLD_NANOS_MAX - 1)).isTrue();
    assertThat(pace.holds(now + CommitPace.HOLD_NANOS_MAX)).isFalse();
    end(1);
    assertThat(pace.holds(now + 2 * CommitPace.HOLD_NANOS_MAX)).as("nor anew").isFalse();
    pace.answered(now + 2 * CommitPace.HOLD_NANOS_MAX);
    end(CommitPace.BOUND_LEAST);
    assertThat(pace.holds(now + 2 * CommitPace.HOLD_NANOS_MAX)).as("the next one").isTrue();
  }

  @Test
  void snapshotsThatAreNotCommittedHoldNothing() {
    end(CommitPace.BOUND_LEAST);
    assertThat(pace.holds(now)).isTrue();
    pace.taken();
    assertThat(pace.holds(now)).isFalse();
    end(CommitPace.BOUND_LEAST);
    assertThat(pace.holds(now + 2 * CommitPace.HOLD_NANOS_MAX)).as("a hold of its own").isTrue();
  }

  @Test
  void fastHandlersAreNotHeldOnceTheirRateIsKnown() {
    run(1_300_000, 5 * MILLI, 500 * MILLI);
    assertThat(run(1_300_000, 5 * MILLI, 2_000 * MILLI)).isZero();
  }

  @Test
  void anIntervalOfFastHandlersIsNotHeldForAPollThreadThatIsLate() {
    run(1_300_000, 5 * MILLI, 500 * MILLI);
    assertThat(run(1_300_000, 40 * MILLI, 200 * MILLI)).isZero();
  }

  @Test
  void hundredsOfThreadsAreNotPutToSleep() {
    end(10);
    pace.measure(MILLI, INTERVAL, false, true);
    end(100 * CommitPace.BOUND_LEAST);
    assertThat(pace.holds(now)).isFalse();
  }

  @Test
  void slowBrokersHoldNothingOnceTheirTripIsKnown() {
    run(80_000, 60 * MILLI, 2_000 * MILLI);
    assertThat(run(80_000, 60 * MILLI, 2_000 * MILLI)).isZero();
  }

  @Test
  void slowBrokersThatBecomeSoHoldForAWhileOnly() {
    run(80_000, 3 * MILLI, 2_000 * MILLI);
    run(80_000, 60 * MILLI, 6_000 * MILLI);
    assertThat(run(80_000, 60 * MILLI, 2_000 * MILLI)).isZero();
  }

  @Test
  void aPollThreadThatDoesNotComeToCommitHoldsWhatItWouldHaveRunAgain() {
    run(80_000, 3 * MILLI, 2_000 * MILLI);
    run(80_000, 70 * MILLI, 70 * MILLI);
    assertThat(unacknowledged).isLessThan(2_000);
  }

  private void end(int times) {
    for (int i = 0; i < times; i++) {
      pace.ended();
    }
  }

  /**
   * Tasks end at that rate unless they are held, and each commit is answered so much later.
   *
   * @return the part of the time in which they were held
   */
  private double run(double perSecond, long tripNanos, long nanos) {
    long held = 0;
    for (long end = now + nanos; now - end < 0; now += STEP) {
      if (now >= answerDue) {
        unacknowledged -= inCommit;
        answerDue = Long.MAX_VALUE;
        pace.answered(now);
      }
      boolean due = pace.holds(now) || pace.worthIt() && now - lastSent >= EARLY;
      if (!pace.underWay() && (due || now - lastSent >= INTERVAL)) {
        pace.measure(now - lastSent, INTERVAL, perSecond > 1_000_000, false);
        pace.taken();
        pace.sent(now);
        inCommit = unacknowledged;
        lastSent = now;
        answerDue = now + tripNanos;
      }
      if (pace.holds(now)) {
        held += STEP;
        continue;
      }
      for (part += perSecond * STEP / 1e9; part >= 1; part--) {
        pace.ended();
        unacknowledged++;
      }
    }
    return (double) held / nanos;
  }
}
