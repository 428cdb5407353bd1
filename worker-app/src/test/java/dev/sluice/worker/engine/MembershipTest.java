// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testing.Seeds;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class MembershipTest {
  private static final long SESSION = 1_000_000;

  /**
   * Against a coordinator that gives a place away a session time-out after the last request that it
   * took: however requests, answers and pauses of the process lie, nothing begins after that.
   */
  @Test
  void nothingBeginsAfterThePlaceWasGivenAway() {
    AtomicLong started = new AtomicLong();
    Seeds.each(2_000, random -> whateverHappens(random, started));
    assertThat(started.get()).as("tasks that were started at all").isGreaterThan(10_000);
  }

  private static void whateverHappens(RandomGenerator random, AtomicLong started) {
    long now = random.nextLong() >> 1;
    Membership membership = new Membership(SESSION, now);
    long placeUntil = now + SESSION;
    boolean member = true;
    boolean asked = false;
    long sent = 0;
    boolean taken = false;
    for (int step = 0; step < 300; step++) {
      now += random.nextInt(random.nextInt(20) == 0 ? (int) SESSION * 2 : (int) SESSION / 50);
      member &= now - placeUntil < 0; // once lost, a place does not come back by itself
      switch (random.nextInt(5)) {
        case 0 -> membership.turn(now);
        case 1 -> {
          asked = true;
          sent = now;
          taken = false;
        }
        case 2 -> {
          if (asked && member) {
            taken = true;
            placeUntil = now + SESSION;
          }
        }
        case 3 -> {
          if (taken) {
            membership.proven(sent);
            taken = false;
          }
        }
        default -> {
          if (membership.mayStart(now)) {
            long begins = now + random.nextLong(membership.graceNanos());
            assertThat(member && begins - placeUntil < 0).as("begins as a member").isTrue();
            started.incrementAndGet();
          }
        }
      }
    }
  }

  @Test
  void aPlaceThatIsConfirmedNowAndThenIsNeverInDoubt() {
    Membership membership = new Membership(SESSION, 0);
    for (long now = 0; now < 100 * SESSION; now += SESSION / 20) {
      membership.turn(now);
      if (membership.wantsProof(now)) {
        membership.proven(now);
      }
      assertThat(membership.mayStart(now)).isTrue();
    }
  }

  @Test
  void anAnswerToARequestThatWasSentBeforeAStallProvesNothing() {
    Membership membership = new Membership(SESSION, 0);
    membership.turn(SESSION * 6 / 10);
    assertThat(membership.mayStart(SESSION * 6 / 10)).isFalse();
    membership.proven(SESSION * 5 / 10);
    assertThat(membership.mayStart(SESSION * 6 / 10)).isFalse();
    membership.proven(SESSION * 6 / 10);
    assertThat(membership.mayStart(SESSION * 6 / 10)).isTrue();
  }

  @Test
  void aRefusalEndsAPlaceThatWasProvenAMomentAgo() {
    Membership membership = new Membership(SESSION, 0);
    membership.proven(10);
    membership.refused(20);
    assertThat(membership.mayStart(20)).isFalse();
    membership.proven(19); // sent before the refusal
    assertThat(membership.mayStart(21)).isFalse();
    membership.proven(21);
    assertThat(membership.mayStart(22)).isTrue();
  }
}
