// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.credit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CreditTest {
  private static final long SECOND = 1_000_000_000L;

  @Test
  void spentCreditStaysCountedUntilItsTaskHasEnded() {
    CreditBook book = new CreditBook();
    assertThat(book.used()).isEqualTo(Long.MAX_VALUE);
    book.sampled(book.sample(), 0, 0);
    assertThat(book.grant("p", 100)).isEqualTo(100);
    assertThat(book.used()).isEqualTo(100);
    CreditBook.Sample before = book.sample();
    book.reported("p", 100, 60, 0); // 60 are in the log by now
    book.sampled(before, 0, 60);
    assertThat(book.used()).as("too large, never too small").isEqualTo(160);
    book.sampled(book.sample(), 10, 60);
    assertThat(book.used()).isEqualTo(90);
    book.grant("q", 5);
    assertThat(book.used()).isEqualTo(95);
  }

  @Test
  void aProducerThatIsForgottenFreesNothingThatWasGrantedSince() {
    CreditBook book = new CreditBook();
    book.grant("gone", 1_000);
    book.sampled(book.sample(), 0, 0);
    book.lapsed("gone", 0);
    book.grant("p", 100);
    assertThat(book.used()).isEqualTo(1_100);
    book.sampled(book.sample(), 0, 0);
    assertThat(book.used()).isEqualTo(100);
  }

  @Test
  void whatASilentProducerMayStillSpendStays() {
    CreditBook book = new CreditBook();
    book.grant("p", 100);
    book.reported("p", 100, 40, 10);
    book.lapsed("p", 20);
    assertThat(book.outstanding("p")).isEqualTo(20);
    book.lapsed("p", 0);
    assertThat(book.outstanding()).isZero();
  }

  @Test
  void creditThatLapsesIsGivenBackButForTheEscrow() {
    CreditAccount account = new CreditAccount();
    assertThat(account.take(0)).isFalse();
    account.apply(100, 10, true, 5 * SECOND, 0);
    assertThat(account.available(0)).isEqualTo(90);
    assertThat(account.take(0)).isTrue();
    account.spent();
    assertThat(account.available(5 * SECOND)).as("the escrow").isEqualTo(10);
    assertThat(account.returnedTotal()).isEqualTo(89);
    for (int i = 0; i < 10; i++) {
      assertThat(account.take(6 * SECOND)).isTrue();
    }
    assertThat(account.take(6 * SECOND)).as("then it holds").isFalse();
    account.apply(150, 10, true, 20 * SECOND, 10 * SECOND);
    assertThat(account.available(10 * SECOND)).isEqualTo(40);
  }

  @Test
  void theEscrowEndsToo() {
    CreditAccount account = new CreditAccount();
    account.apply(100, 10, true, SECOND, 0);
    long late = SECOND + CreditAccount.ESCROW_NANOS;
    assertThat(account.available(late - 1)).isEqualTo(10);
    assertThat(account.available(late)).isZero();
    assertThat(account.take(late)).isFalse();
    assertThat(account.returnedTotal()).isEqualTo(100);
  }

  @Test
  void whatIsNotNeededIsGivenBackByHalves() {
    CreditAccount account = new CreditAccount();
    account.apply(116, 0, true, 50 * SECOND, 0);
    account.decay(16, 0);
    assertThat(account.available(0)).isEqualTo(66);
    account.decay(16, 0);
    assertThat(account.available(0)).isEqualTo(41);
  }

  @Test
  void theWindowFollowsTheDrainRateAndBelievesASharpFallAtOnce() {
    DelayWindow window = new DelayWindow(SECOND);
    assertThat(window.window(10_000, 64, 0)).isEqualTo(64);
    long now = 0;
    long finished = 0;
    for (int i = 0; i < 20; i++) {
      now += DelayWindow.SAMPLE_NANOS;
      finished += 250;
      window.sample(finished, finished + 800, 1_000, true, now);
      window.window(10_000, 64, 0);
    }
    assertThat(window.drainRate()).isBetween(990.0, 1_010.0);
    assertThat(window.window(10_000, 64, 0)).isBetween(900L, 1_300L);
    assertThat(window.window(500, 64, 0)).as("never beyond the capacity").isEqualTo(500);
    now += DelayWindow.SAMPLE_NANOS;
    finished += 25;
    window.sample(finished, finished + 800, 1_000, true, now);
    assertThat(window.window(10_000, 64, 0)).isLessThan(150);
  }
}
