// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.lease;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.share.Share;
import org.junit.jupiter.api.Test;

class LeaseBookTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long LEASE = 5 * SECOND;
  private static final Share TEN = new Share(10_000, 10);
  private static final Share FOUR = new Share(4_000, 4);
  private final LeaseBook book = new LeaseBook(0);

  @Test
  void aSmallerGrantCountsWhenItsHolderHasConfirmedIt() {
    book.granted("a", 1, TEN);
    book.granted("a", 2, FOUR);
    assertThat(book.booked("a")).isEqualTo(TEN);
    assertThat(book.grantable("b", TEN, TEN)).isEqualTo(Share.NONE);
    book.confirmed("a", 2, FOUR);
    assertThat(book.booked("a")).isEqualTo(FOUR);
    assertThat(book.grantable("b", TEN, TEN)).isEqualTo(new Share(6_000, 6));
  }

  @Test
  void whatIsNotAcknowledgedDoesNotExpire() {
    book.granted("a", 1, TEN);
    book.expire(100 * SECOND);
    assertThat(book.total()).isEqualTo(TEN);
    book.acknowledged("a", 1, LEASE, 100 * SECOND);
    book.expire(105 * SECOND);
    assertThat(book.total()).as("its holder may count slower").isEqualTo(TEN);
    book.expire(100 * SECOND + LeaseTimes.bookNanos(LEASE));
    assertThat(book.total()).isEqualTo(Share.NONE);
    assertThat(book.isEmpty()).isTrue();
  }

  @Test
  void theSameShareAgainLivesLonger() {
    book.granted("a", 1, TEN);
    book.acknowledged("a", 1, LEASE, 0);
    book.granted("a", 2, TEN);
    book.expire(60 * SECOND);
    assertThat(book.total()).as("the second is not acknowledged").isEqualTo(TEN);
    book.acknowledged("a", 2, LEASE, 60 * SECOND);
    book.expire(70 * SECOND);
    assertThat(book.total()).isEqualTo(Share.NONE);
  }

  @Test
  void aHolderThatLoweredItselfFreesAtOnce() {
    book.granted("a", 1, TEN);
    book.confirmed("a", 1, FOUR);
    assertThat(book.booked("a")).isEqualTo(FOUR);
    book.confirmed("a", 1, Share.NONE);
    assertThat(book.isEmpty()).isTrue();
  }

  @Test
  void whatStillRunsBeyondASmallerGrantStaysBooked() {
    book.granted("a", 1, new Share(0, 8));
    book.acknowledged("a", 1, LEASE, 0);
    book.granted("a", 2, new Share(0, 3));
    book.confirmed("a", 2, new Share(0, 5));
    assertThat(book.booked("a").units()).isEqualTo(5);
    book.confirmed("a", 2, new Share(0, 3));
    assertThat(book.booked("a").units()).isEqualTo(3);
  }

  @Test
  void aStrictShareStaysBookedBeyondItsLease() {
    book.holdFor(60 * SECOND);
    book.granted("a", 1, TEN);
    book.acknowledged("a", 1, LEASE, 0);
    book.expire(60 * SECOND);
    assertThat(book.total()).isEqualTo(TEN);
    book.expire(67 * SECOND); // both clocks may drift
    assertThat(book.total()).isEqualTo(TEN);
    book.expire(68 * SECOND);
    assertThat(book.total()).isEqualTo(Share.NONE);
  }

  @Test
  void whatWasGrantedToAHolderThatHasEndedIsFreeButForWhatStillRuns() {
    book.granted("a", 1, TEN);
    book.acknowledged("a", 1, LEASE, 0);
    book.granted("a", 2, new Share(0, 12));
    book.left("a", new Share(0, 3));
    assertThat(book.booked("a").units()).isEqualTo(3);
    book.left("a", Share.NONE);
    assertThat(book.isEmpty()).isTrue();
    book.left("nobody", Share.NONE);
  }

  @Test
  void ofWhatWasReadBackOnlyWhatIsLaterThanTheReportedOneStays() {
    book.readBack("a", 1, TEN, LEASE, 0);
    book.readBack("a", 2, FOUR, LEASE, 0);
    assertThat(book.booked("a")).isEqualTo(TEN);
    book.confirmed("a", 1, TEN);
    assertThat(book.booked("a")).as("it has not applied the smaller one").isEqualTo(TEN);
    book.confirmed("a", 2, FOUR);
    assertThat(book.booked("a")).isEqualTo(FOUR);
  }

  @Test
  void nothingIsGrantableBeyondALoweredLimit() {
    book.granted("a", 1, TEN);
    assertThat(book.grantable("b", FOUR, FOUR)).isEqualTo(Share.NONE);
    assertThat(book.grantable("a", FOUR, FOUR)).as("less of its own").isEqualTo(FOUR);
  }
}
