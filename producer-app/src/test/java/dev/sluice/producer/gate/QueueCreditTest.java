// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.fleet.CreditGrant;
import dev.sluice.fleet.CreditReport;
import dev.sluice.producer.gate.QueueCredit.Answer;
import dev.sluice.time.SystemClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class QueueCreditTest {
  private static final SystemClock CLOCK = SystemClock.INSTANCE;
  private static final long HOUR = TimeUnit.HOURS.toNanos(1);
  private final AtomicInteger wakes = new AtomicInteger();
  private final QueueCredit credit = new QueueCredit("q", 0, true, CLOCK, wakes::incrementAndGet);

  private void grant(long granted, boolean sheddable) {
    long now = CLOCK.nanos();
    credit.granted(new CreditGrant("q", granted, 0, 0, sheddable, 0, 1_000), now + HOUR, now);
  }

  private Answer take(long maxWaitNanos, boolean shed, CreditTicket ticket) {
    try {
      return credit.take(shed, "", maxWaitNanos, ticket);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whoMayNotWaitIsRefusedAndWhoMayIsServedInOrder() throws Exception {
    grant(1, true);
    CreditTicket first = new CreditTicket(0);
    assertThat(take(0, false, first)).isEqualTo(Answer.GRANTED);
    assertThat(take(0, false, new CreditTicket(0))).isEqualTo(Answer.FULL);
    AtomicReference<Answer> waited = new AtomicReference<>();
    Thread thread =
        new Thread(() -> waited.set(take(HOUR, false, new CreditTicket(HOUR))), "waits");
    thread.start();
    await().until(() -> credit.report(false, 0, CLOCK.nanos()).waiting() == 1);
    assertThat(wakes.get()).as("the fleet's thread is told").isPositive();
    assertThat(credit.urgent(CLOCK.nanos())).isTrue();
    grant(2, true);
    await().until(() -> waited.get() == Answer.GRANTED);
    thread.join();
    first.settle(true);
    first.settle(true);
    CreditReport report = credit.report(false, 5, CLOCK.nanos());
    assertThat(report.granted()).isEqualTo(2);
    assertThat(report.spent()).as("settled once").isEqualTo(1);
    assertThat(report.waitedMillis()).isNotNegative();
  }

  /** Ten threads of one tenant wait, then one of another: it is second, and not eleventh. */
  @Test
  void tenantsThatWaitAreServedInTurns() throws Exception {
    grant(1, true);
    assertThat(take(0, false, new CreditTicket(0))).isEqualTo(Answer.GRANTED);
    List<String> served = Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 11; i++) {
      String tenant = i < 10 ? "greedy" : "modest";
      Thread thread =
          new Thread(
              () -> {
                try {
                  if (credit.take(false, tenant, HOUR, new CreditTicket(HOUR)) == Answer.GRANTED) {
                    served.add(tenant);
                  }
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              });
      threads.add(thread);
      thread.start();
      long waiting = i + 1;
      await().until(() -> credit.report(false, 0, CLOCK.nanos()).waiting() == waiting);
    }
    for (int granted = 1; granted <= 11; granted++) {
      grant(1 + granted, true);
      int count = granted;
      await().until(() -> served.size() == count);
    }
    assertThat(served.subList(0, 3)).contains("modest");
    for (Thread thread : threads) {
      thread.join();
    }
  }

  @Test
  void aRefusedTaskGivesItsCreditBack() {
    grant(5, true);
    CreditTicket ticket = new CreditTicket(0);
    assertThat(take(0, false, ticket)).isEqualTo(Answer.GRANTED);
    ticket.settle(false);
    CreditReport report = credit.report(false, 0, CLOCK.nanos());
    assertThat(report.spent()).isZero();
    assertThat(report.returned()).isEqualTo(1);
  }

  @Test
  void sheddableTasksAreRefusedFirst() {
    grant(5, false);
    assertThat(take(0, true, new CreditTicket(0))).isEqualTo(Answer.FULL);
    assertThat(take(0, false, new CreditTicket(0))).isEqualTo(Answer.GRANTED);
  }

  @Test
  void withoutACoordinatorTheEscrowIsSpentAndThenNothing() {
    long now = CLOCK.nanos();
    credit.granted(new CreditGrant("q", 40, 0, 10, true, 0, 1_000), now - 1, now - 10);
    for (int i = 0; i < 10; i++) {
      assertThat(take(0, false, new CreditTicket(0))).isEqualTo(Answer.GRANTED);
    }
    assertThat(take(0, false, new CreditTicket(0))).isEqualTo(Answer.NO_COORDINATOR);
  }

  @Test
  void aQueueWithoutABoundAsksNobodyAndAClosedDeskSaysSo() {
    credit.settings(false, false);
    assertThat(take(0, false, new CreditTicket(0))).isEqualTo(Answer.GRANTED);
    credit.settings(true, false);
    credit.close();
    assertThat(take(HOUR, false, new CreditTicket(HOUR))).isEqualTo(Answer.CLOSED);
  }

  @Test
  void whenToComeAgainIsBetweenASecondAndAMinute() {
    CreditDesk desk =
        new CreditDesk(java.util.Map.of("q", 5L), 0, 0, CLOCK, new java.util.SplittableRandom(1));
    for (int i = 0; i < 50; i++) {
      assertThat(desk.retryAfter("q")).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(60));
    }
  }
}
