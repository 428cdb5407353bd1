// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ElectionTest {
  private static final long SECOND = 1_000_000_000L;
  private final Election election = new Election("me", "w", new SplittableRandom(1), 0);

  private static GrantBatch beat(Epoch epoch) {
    return new GrantBatch(epoch, 0, SECOND, 0, true, List.of());
  }

  @Test
  void theFirstClaimOfACounterWinsAndLaterOnesOfItDoNot() {
    assertThat(election.claimed("t", new Claim(1, "other", "o"), 0, 0)).isTrue();
    assertThat(election.claimed("t", new Claim(1, "me", "w"), 1, 0)).isFalse();
    assertThat(election.own()).isEmpty();
    assertThat(election.claimed("t", new Claim(2, "me", "w"), 2, 0)).isTrue();
    assertThat(election.own()).contains(new Epoch("t", 2, 2, "me"));
  }

  @Test
  void aSilentCoordinatorIsReplacedBetweenTwoAndThreeSeconds() {
    Epoch epoch = new Epoch("t", 5, 7, "other");
    election.batch(epoch, 10 * SECOND);
    assertThat(election.claim(true, 12 * SECOND - 1)).isEmpty();
    assertThat(election.claim(true, 13 * SECOND)).contains(new Claim(6, "me", "w"));
    assertThat(election.claim(true, 13 * SECOND + 1)).as("not again at once").isEmpty();
  }

  @Test
  void whoHasNotReadEverythingDoesNotClaim() {
    assertThat(election.claim(false, 100 * SECOND)).isEmpty();
    assertThat(election.claim(true, 100 * SECOND)).isPresent();
  }

  @Test
  void onlyThePresentCoordinatorCountsAsASignOfLife() {
    election.batch(new Epoch("t", 5, 7, "new"), 10 * SECOND);
    election.batch(new Epoch("t", 4, 1, "old"), 12 * SECOND);
    assertThat(election.claim(true, 13 * SECOND)).isPresent();
  }

  @Test
  void aGrantIsBelievedOnlyForThisIncarnationInTimeAndFromTheNewestEpoch() {
    HolderState holder = new HolderState("me", ProtocolRule.ALL);
    long report = holder.beginReport(0);
    Epoch first = new Epoch("t", 1, 0, "a");
    Epoch second = new Epoch("t", 2, 5, "b");
    assertThat(holder.read(grant(first, "else", 1, report), true, 1)).isEmpty();
    assertThat(holder.read(grant(first, "me", 2, report), false, 1)).as("not yet").isEmpty();
    assertThat(holder.read(grant(first, "me", 3, report), true, 1)).isPresent();
    assertThat(holder.read(grant(first, "me", 3, report), true, 1)).as("again").isEmpty();
    assertThat(holder.read(grant(first, "me", 4, 99), true, 1)).as("no such report").isEmpty();
    assertThat(holder.read(grant(first, "me", 5, report), true, SECOND)).as("late").isEmpty();
    assertThat(holder.read(beat(second), true, 2)).isEmpty();
    assertThat(holder.read(grant(first, "me", 6, report), true, 2)).as("fenced").isEmpty();
    assertThat(holder.read(grant(second, "me", 1, report), true, 2).orElseThrow().endNanos())
        .as("from when the report was sent")
        .isEqualTo(SECOND);
  }

  private static GrantBatch grant(Epoch epoch, String incarnation, long number, long report) {
    return new GrantBatch(
        epoch,
        0,
        SECOND,
        0,
        true,
        List.of(new Grant(incarnation, number, report, List.of(), List.of())));
  }
}
