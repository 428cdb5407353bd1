// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.sluice.testing.Seeds;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class LedgerTest {
  private static final int STOCK_METADATA_BYTES = 4_000;

  private static final class Run extends Ledger.Entry {
    Run(long offset) {
      super(offset);
    }
  }

  private static Run accept(Ledger ledger, long offset) {
    Run run = new Run(offset);
    ledger.accept(run);
    return run;
  }

  private static DoneRanges decode(LedgerSnapshot snapshot) {
    return LedgerCodec.decode(snapshot.position(), snapshot.metadata()).orElseThrow();
  }

  @Test
  void positionIsTheFirstUnfinishedOffset() {
    Ledger ledger = new Ledger(5, 5, DoneRanges.NONE);
    assertThat(ledger.position()).isEqualTo(5);
    assertThat(ledger.hasNews()).isFalse();
    Run five = accept(ledger, 5);
    Run six = accept(ledger, 6);
    ledger.done(six);
    assertThat(ledger.position()).isEqualTo(5);
    assertThat(ledger.hasNews()).isTrue();
    ledger.done(five);
    assertThat(ledger.position()).isEqualTo(7);
    assertThat(ledger.undone()).isZero();
  }

  @Test
  void aPartitionWithoutACommittedOffsetHasNewsFromTheStart() {
    assertThat(new Ledger(5, -1, DoneRanges.NONE).hasNews()).isTrue();
  }

  @Test
  void offsetsThatDoNotExistNeedNoCare() {
    Ledger ledger = new Ledger(0, 0, DoneRanges.NONE);
    Run first = accept(ledger, 3);
    Run second = accept(ledger, 1_000_000);
    assertThat(ledger.position()).isEqualTo(3);
    ledger.done(first);
    assertThat(ledger.position()).isEqualTo(1_000_000);
    ledger.done(second);
    ledger.seenUpTo(1_000_005);
    assertThat(ledger.position()).isEqualTo(1_000_005);
  }

  @Test
  void whatIsSettledIsDoneInTheNextSnapshotAndNotBefore() {
    Ledger ledger = new Ledger(0, 0, DoneRanges.NONE);
    Run zero = accept(ledger, 0);
    Run one = accept(ledger, 1);
    Run two = accept(ledger, 2);
    Run three = accept(ledger, 3);
    ledger.done(two);
    ledger.settle(zero);
    ledger.settle(three);
    assertThat(ledger.position()).isZero();
    LedgerSnapshot snapshot = ledger.snapshot(STOCK_METADATA_BYTES);
    assertThat(snapshot.position()).isEqualTo(1);
    assertThat(snapshot.covered()).isEqualTo(3);
    assertThat(decode(snapshot).contains(2)).isTrue();
    assertThat(decode(snapshot).contains(3)).isTrue();
    ledger.unsettle(three);
    assertThat(decode(ledger.snapshot(STOCK_METADATA_BYTES)).contains(3)).isFalse();

    ledger.done(zero);
    ledger.acknowledged(ledger.snapshot(STOCK_METADATA_BYTES));
    assertThat(ledger.position()).isEqualTo(1);
    assertThat(ledger.uncommitted()).isZero();
    ledger.settle(one);
    ledger.settle(three);
    LedgerSnapshot all = ledger.snapshot(STOCK_METADATA_BYTES);
    assertThat(all.position()).isEqualTo(4);
    ledger.done(one);
    ledger.done(three);
    ledger.acknowledged(all);
    assertThat(ledger.hasNews()).isFalse();
    assertThat(ledger.undone()).isZero();
  }

  @Test
  void refusesAnOffsetBelowOneThatWasSeenAndASecondEnd() {
    Ledger ledger = new Ledger(5, 5, DoneRanges.NONE);
    Run run = accept(ledger, 6);
    assertThatIllegalArgumentException().isThrownBy(() -> accept(ledger, 6));
    assertThatIllegalArgumentException().isThrownBy(() -> accept(ledger, 5));
    ledger.done(run);
    assertThatIllegalStateException().isThrownBy(() -> ledger.done(run));
  }

  @Test
  void anAcknowledgedSnapshotCoversWhatWasDoneWhenItWasTaken() {
    Ledger ledger = new Ledger(0, 0, DoneRanges.NONE);
    Run first = accept(ledger, 0);
    Run second = accept(ledger, 1);
    ledger.done(first);
    LedgerSnapshot snapshot = ledger.snapshot(STOCK_METADATA_BYTES);
    ledger.done(second);
    ledger.acknowledged(snapshot);
    assertThat(ledger.uncommitted()).isEqualTo(1);
    assertThat(ledger.hasNews()).isTrue();
    ledger.acknowledged(ledger.snapshot(STOCK_METADATA_BYTES));
    assertThat(ledger.uncommitted()).isZero();
    assertThat(ledger.hasNews()).isFalse();
  }

  @Test
  void alternatingTenThousandFitIntoTheMetadataOfAStockBroker() {
    Ledger ledger = new Ledger(0, 0, DoneRanges.NONE);
    List<Run> runs = new ArrayList<>();
    for (int offset = 0; offset < 10_000; offset++) {
      runs.add(accept(ledger, offset));
    }
    for (int offset = 1; offset < 10_000; offset += 2) {
      ledger.done(runs.get(offset));
    }
    LedgerSnapshot snapshot = ledger.snapshot(STOCK_METADATA_BYTES);
    assertThat(snapshot.metadata().length()).isLessThanOrEqualTo(STOCK_METADATA_BYTES);
    assertThat(snapshot.covered()).isEqualTo(5_000);
    assertThat(decode(snapshot).size()).isEqualTo(5_000);
  }

  @Test
  void oneStuckTaskBeforeTwoMillionDoneOnesIsTiny() {
    Ledger ledger = new Ledger(7, 7, DoneRanges.NONE);
    accept(ledger, 7);
    for (int i = 1; i <= 2_000_000; i++) {
      ledger.done(accept(ledger, 7 + i));
    }
    LedgerSnapshot snapshot = ledger.snapshot(STOCK_METADATA_BYTES);
    assertThat(snapshot.metadata().length()).isLessThan(24);
    assertThat(snapshot.covered()).isEqualTo(2_000_000);
    assertThat(decode(snapshot).size()).isEqualTo(2_000_000);
  }

  @Test
  void restoredCompletionsSurviveASecondRestartBeforeTheyWereReadAgain() {
    Ledger first = new Ledger(0, 0, DoneRanges.NONE);
    List<Run> runs = new ArrayList<>();
    for (int offset = 0; offset < 100; offset++) {
      runs.add(accept(first, offset));
    }
    for (int offset : new int[] {10, 11, 12, 50, 99}) {
      first.done(runs.get(offset));
    }
    LedgerSnapshot one = first.snapshot(STOCK_METADATA_BYTES);
    Ledger second = new Ledger(one.position(), one.position(), decode(one));
    second.done(accept(second, 0)); // and dies before it reads offset 1
    LedgerSnapshot two = second.snapshot(STOCK_METADATA_BYTES);
    assertThat(two.position()).isEqualTo(1);
    assertThat(two.covered()).isEqualTo(1);
    Ledger third = new Ledger(two.position(), two.position(), decode(two));
    for (int offset = 1; offset < 120; offset++) {
      assertThat(third.wasDone(offset))
          .as("offset %s", offset)
          .isEqualTo(offset >= 10 && offset <= 12 || offset == 50 || offset == 99);
    }
  }

  @Test
  void randomLivesNeverCallDoneWhatWasNotAndForgetOnlyWhatDoesNotFit() {
    Seeds.each(200, LedgerTest::randomLives);
  }

  /** Several lives of one partition, each beginning with what the last one had committed. */
  private static void randomLives(RandomGenerator random) {
    List<Long> log = log(random);
    Set<Long> everDone = new HashSet<>();
    LedgerSnapshot committed = new LedgerSnapshot(log.get(0), "", 0, true);
    for (int life = 0; life < 4; life++) {
      committed = life(random, log, everDone, committed);
    }
  }

  private static List<Long> log(RandomGenerator random) {
    List<Long> log = new ArrayList<>();
    long offset = random.nextLong(1L << random.nextInt(1, 40));
    int gap = random.nextInt(1, 20);
    int records = random.nextInt(1, 400);
    for (int i = 0; i < records; i++) {
      log.add(offset);
      offset += random.nextInt(4) == 0 ? random.nextInt(1, gap + 1) : 1;
    }
    return log;
  }

  private static LedgerSnapshot life(
      RandomGenerator random, List<Long> log, Set<Long> everDone, LedgerSnapshot start) {
    DoneRanges restored = decode(start);
    Ledger ledger = new Ledger(start.position(), start.position(), restored);
    boolean roomy = random.nextBoolean();
    Set<Long> doneHere = new HashSet<>();
    List<Run> open = new ArrayList<>();
    Deque<LedgerSnapshot> inFlight = new ArrayDeque<>();
    LedgerSnapshot committed = start;
    int next = 0;
    while (next < log.size() && log.get(next) < start.position()) {
      next++;
    }
    int steps = random.nextInt(1, 1_500);
    for (int step = 0; step < steps; step++) {
      int choice = random.nextInt(10);
      if (choice < 4 && next < log.size() && open.size() < 200) {
        long offset = log.get(next++);
        if (ledger.wasDone(offset)) {
          assertThat(everDone).contains(offset);
          ledger.seenUpTo(offset + 1);
        } else {
          open.add(accept(ledger, offset));
        }
      } else if (choice < 8 && !open.isEmpty()) {
        Run run = open.remove(random.nextInt(open.size()));
        ledger.done(run);
        everDone.add(run.offset());
        doneHere.add(run.offset());
      } else if (choice == 8) {
        int bytesMax = roomy ? 1 << 16 : random.nextInt(120);
        LedgerSnapshot snapshot = ledger.snapshot(bytesMax);
        check(snapshot, bytesMax, log, everDone, doneHere, open, roomy ? restored : null);
        inFlight.add(snapshot);
      } else if (!inFlight.isEmpty()) {
        committed = inFlight.poll();
        ledger.acknowledged(committed);
        assertThat(ledger.uncommitted()).isBetween(0L, (long) doneHere.size());
      }
      long position = ledger.position();
      if (open.stream().anyMatch(run -> run.offset() < position)
          || ledger.undone() != open.size()) {
        throw new AssertionError("position " + position + " of " + ledger.undone() + " undone");
      }
    }
    return committed;
  }

  private static void check(
      LedgerSnapshot snapshot,
      int bytesMax,
      List<Long> log,
      Set<Long> everDone,
      Set<Long> doneHere,
      List<Run> open,
      DoneRanges restoredThatFits) {
    assertThat(snapshot.metadata().length()).isLessThanOrEqualTo(bytesMax);
    DoneRanges ranges = decode(snapshot);
    long covered = 0;
    for (long offset : log) {
      // Plain checks: this runs millions of times.
      if (offset < snapshot.position() || ranges.contains(offset)) {
        if (!everDone.contains(offset)) {
          throw new AssertionError("called done: " + offset);
        }
        covered += doneHere.contains(offset) ? 1 : 0;
      } else if (restoredThatFits != null
          && (doneHere.contains(offset) || restoredThatFits.contains(offset))) {
        throw new AssertionError("forgotten: " + offset);
      }
    }
    assertThat(snapshot.covered()).isEqualTo(covered);
    for (Run run : open) {
      if (ranges.contains(run.offset()) || snapshot.position() > run.offset()) {
        throw new AssertionError("unfinished, but called done: " + run.offset());
      }
    }
  }
}
