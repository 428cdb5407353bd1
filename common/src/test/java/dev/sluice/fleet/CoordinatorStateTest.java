// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.fleet.CoordinatorState.Outgoing;
import dev.sluice.flow.share.Share;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Cases; what holds in all of them is for the simulation in system-tests. */
class CoordinatorStateTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long LEASE = 5 * SECOND;
  private static final long HOLD = 14 * SECOND;
  private static final LimitKey RATE = LimitKey.ofQueue(LimitKey.Kind.RATE, "q");
  private static final LimitKey SLOTS = LimitKey.ofQueue(LimitKey.Kind.CONCURRENCY, "q");
  private static final Epoch OWN = new Epoch("t", 2, 9, "me");

  private final CoordinatorState state = new CoordinatorState(OWN, 1, LEASE, ProtocolRule.ALL, 0);
  private long reports;

  private void takeOver(boolean past) {
    ReadBack found = new ReadBack(OWN, ProtocolRule.ALL);
    if (past) {
      found.read(new GrantBatch(new Epoch("t", 1, 0, "old"), 0, LEASE, 0, true, List.of()));
    }
    found.read(new GrantBatch(OWN, 0, LEASE, 0, false, List.of()));
    state.takeOver(found, 0);
  }

  /** A worker with demand reports; what it is granted then. */
  private Grant granted(long now) {
    return granted("w-1", false, now);
  }

  private Grant granted(String incarnation, boolean leaving, long now) {
    Report report =
        new Report(
            "w",
            incarnation,
            Report.Kind.WORKER,
            ++reports,
            "t",
            0,
            0,
            0,
            0,
            leaving,
            List.of(
                new LimitReport(RATE, new Share(100_000, 10), 0, 500_000, Share.NONE, false, 0),
                new LimitReport(SLOTS, new Share(0, 8), HOLD, 8, Share.NONE, false, 0)),
            List.of(),
            List.of());
    state.report(report, now);
    List<Outgoing> out = state.tick(now);
    return out.stream()
        .flatMap(each -> each.batch().grants().stream())
        .reduce((a, b) -> b)
        .orElse(new Grant("none", 1, 1, List.of(), List.of()));
  }

  private static Share share(Grant grant, LimitKey key) {
    return grant.limits().stream()
        .filter(each -> each.key().equals(key))
        .map(LimitGrant::share)
        .findFirst()
        .orElse(Share.NONE);
  }

  @Test
  void whatALeavingWorkerWasGrantedLastIsFreeAtOnce() {
    takeOver(true);
    assertThat(share(granted("w-1", false, 1), SLOTS).units()).isEqualTo(8);
    granted("w-1", true, 2);
    assertThat(state.booked(SLOTS).isNone()).isTrue();
    assertThat(share(granted("w-2", false, SECOND), SLOTS).units()).isEqualTo(8);
  }

  @Test
  void leavesTheCoordinationToTheWorkerThatWasHeardLast() {
    takeOver(true);
    assertThat(state.successor(0)).isEmpty();
    granted("w-1", false, 1);
    granted("w-2", false, SECOND);
    assertThat(state.successor(SECOND)).contains(new Claim(3, "w-2", "w"));
    granted("w-2", true, 2 * SECOND);
    assertThat(state.successor(2 * SECOND)).contains(new Claim(3, "w-1", "w"));
    assertThat(state.successor(9 * SECOND)).as("not heard for so long").isEmpty();
  }

  @Test
  void withAPastThatWasReadItGivesAtOnce() {
    takeOver(true);
    Grant grant = granted(1);
    assertThat(share(grant, RATE).isNone()).isFalse();
    assertThat(share(grant, SLOTS).units()).isEqualTo(8);
  }

  @Test
  void withoutAPastItWaitsForLeasesAndLongerForWhatStrictLimitsLetRun() {
    takeOver(false);
    assertThat(granted(SECOND).limits()).isEmpty();
    Grant first = granted(6 * SECOND);
    assertThat(share(first, RATE).isNone()).isFalse();
    assertThat(share(first, SLOTS).isNone()).isTrue();
    assertThat(share(granted(18 * SECOND), SLOTS).isNone()).isTrue();
    assertThat(share(granted(20 * SECOND), SLOTS).units()).isEqualTo(8);
  }

  @Test
  void whileAStrictLimitWaitsTheLogIsNotTakenForComplete() {
    takeOver(false);
    granted(SECOND);
    assertThat(state.tick(6 * SECOND)).allMatch(out -> !out.batch().open());
    granted(19 * SECOND);
    assertThat(state.tick(21 * SECOND)).isNotEmpty().allMatch(out -> out.batch().open());
  }

  @Test
  void beatsOfAllPartitionsGoTogetherAndNoneComesLate() {
    CoordinatorState many = new CoordinatorState(OWN, 3, LEASE, ProtocolRule.ALL, 0);
    assertThat(many.untilBeatNanos(0)).isZero();
    assertThat(many.tick(0)).hasSize(3);
    assertThat(many.untilBeatNanos(SECOND / 10)).isEqualTo(SECOND / 10 * 4);
    assertThat(many.tick(SECOND / 10)).isEmpty();
    ReadBack found = new ReadBack(OWN, ProtocolRule.ALL);
    found.read(new GrantBatch(new Epoch("t", 1, 0, "old"), 0, LEASE, 0, true, List.of()));
    found.read(new GrantBatch(OWN, 0, LEASE, 0, false, List.of()));
    many.takeOver(found, 0);
    Report report =
        new Report(
            "w",
            "w-1",
            Report.Kind.WORKER,
            1,
            "t",
            1,
            0,
            0,
            0,
            false,
            List.of(),
            List.of(),
            List.of());
    many.report(report, SECOND / 5);
    assertThat(many.tick(SECOND / 5))
        .as("one partition is answered between two beats")
        .singleElement()
        .satisfies(answer -> assertThat(answer.partition()).isEqualTo(1));
    assertThat(many.untilBeatNanos(SECOND / 5)).isEqualTo(SECOND / 10 * 3);
    assertThat(many.tick(SECOND / 2)).as("it beats with the others then").hasSize(3);
    assertThat(many.untilBeatNanos(SECOND / 2)).isEqualTo(SECOND / 2);
  }
}
