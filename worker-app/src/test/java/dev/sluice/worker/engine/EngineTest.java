// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.limit.DeadLetterGuard;
import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import dev.sluice.worker.limit.BulkheadLimit;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EngineTest {
  private final TestWorld world = new TestWorld();
  private final Engine engine = world.engine;
  private final PartitionState partition = world.assign("t", 0);

  private TestRun takeOne() {
    List<TestRun> runs = world.take();
    assertThat(runs).hasSize(1);
    return runs.get(0);
  }

  private void slotEnded() {
    engine.slotEnded(world.handler, 1, 1_000_000);
  }

  private long keys() {
    return engine.snapshot(world.now).keys();
  }

  @Test
  void tasksOfOneKeyRunOneAfterTheOtherAndOthersBesideThem() {
    TestRun a1 = world.accept(partition, 0, "a");
    TestRun a2 = world.accept(partition, 1, "a");
    TestRun b1 = world.accept(partition, 2, "b");
    assertThat(takeOne()).isSameAs(a1);
    assertThat(takeOne()).isSameAs(b1);
    assertThat(world.take()).isEmpty();
    world.succeed(a1);
    assertThat(takeOne()).isSameAs(a2);
    assertThat(partition.ledger().position()).isEqualTo(1);
  }

  @Test
  void whereEveryThreadHasEnoughToDoPartitionsAreNotReadFarAhead() {
    TestWorld other = new TestWorld();
    other.laneCapacity = 2_000;
    other.uncommittedMax = 10_000;
    PartitionState one = other.assign("t", 0);
    PartitionState empty = other.assign("t", 1);
    List<TestRun> started = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      other.accept(one, i, "key-" + i);
    }
    other.accept(empty, 0, "other");
    other.handler.worked(1, 1_000_000); // 300 of 1 ms for four threads: 75 ms
    other.engine.plan(other.now);
    assertThat(one.pauses().paused()).isFalse();
    for (int i = 0; i < 100; i++) {
      other.handler.worked(1, 100_000_000); // 100 ms each: 7.5 s
    }
    other.engine.plan(other.now);
    assertThat(one.pauses().has(PauseReason.LANE_FULL)).isTrue();
    assertThat(empty.pauses().paused()).isFalse();
    one.lane().stopped(true); // the consumer is paused
    while (one.lane().depth() > 129) {
      started.addAll(other.take());
      other.succeed(started.remove(0));
      other.engine.plan(other.now);
      assertThat(one.pauses().has(PauseReason.LANE_FULL)).isTrue();
      other.handler.worked(1, 100_000_000);
    }
    other.succeed(other.take().get(0));
    other.engine.plan(other.now);
    assertThat(one.pauses().paused()).isFalse();
    one.lane().stopped(false);
    for (int i = 0; i < 300; i++) {
      other.accept(one, 300 + i, "key-" + i);
    }
    other.engine.plan(other.now);
    assertThat(one.pauses().has(PauseReason.LANE_FULL)).isTrue();
    for (int i = 0; i < 200; i++) {
      other.handler.worked(1, 1_000); // it has turned out to be fast
    }
    other.engine.plan(other.now);
    assertThat(one.pauses().paused()).isFalse();
  }

  @Test
  void whereEveryThreadHasEnoughToDoItTakesSomeShortTasksAtOnce() {
    TestWorld other = new TestWorld(); // four threads
    other.laneCapacity = 200;
    PartitionState one = other.assign("t", 0);
    for (int i = 0; i < 33; i++) {
      other.accept(one, i, "key-" + i);
    }
    assertThat(other.take()).as("it is not known how long they take").hasSize(1);
    other.handler.worked(1, 1_000_000);
    assertThat(other.take()).as("of a millisecond").hasSize(4);
    assertThat(other.take()).as("as soon as there are few").hasSize(1);
    for (int i = 33; i < 100; i++) {
      other.accept(one, i, "key-" + i);
    }
    for (int i = 0; i < 100; i++) {
      other.handler.worked(1, 10_000_000);
    }
    assertThat(other.take()).as("of ten milliseconds").hasSize(1);
  }

  @Test
  void whereCommitsAreLateAThreadTakesOneTaskAtATime() {
    TestWorld other = new TestWorld();
    other.laneCapacity = 2_000;
    other.uncommittedMax = 10_000;
    PartitionState one = other.assign("t", 0);
    for (int i = 0; i < 2_000; i++) {
      other.accept(one, i, null);
    }
    other.handler.worked(1, 1_000_000);
    for (int ended = 0; ended < CommitPace.BOUND_LEAST / 2; ) {
      List<TestRun> taken = other.take();
      assertThat(taken).hasSize(4);
      taken.forEach(run -> other.engine.succeeded(run, 1_000_000));
      other.engine.slotEnded(other.handler, taken.size(), 4_000_000);
      ended += taken.size();
    }
    assertThat(other.take()).hasSize(1);
    other.commit();
    assertThat(other.take()).hasSize(4);
  }

  @Test
  void fewEndedTasksWaitForTheIntervalAndManyDoNot() {
    long interval = 100_000_000;
    TestWorld other = new TestWorld();
    other.uncommittedMax = 10_000;
    PartitionState one = other.assign("t", 0);
    assertThat(endedUntilWorthCommitting(other, one)).isEqualTo(500);
    other.engine.commitPace(interval, interval); // 500 in an interval: those to come can wait
    other.commit();
    assertThat(endedUntilWorthCommitting(other, one)).isEqualTo(1_000);
    other.engine.commitPace(interval / 3, interval); // 3,000 in one: they would be too many
    other.commit();
    assertThat(endedUntilWorthCommitting(other, one)).isEqualTo(500);
  }

  @Test
  void nothingStartsWhileTooMuchThatHasEndedWaitsForACommit() {
    TestWorld other = new TestWorld();
    other.uncommittedMax = 10_000;
    PartitionState one = other.assign("t", 0);
    for (int i = 0; i < CommitPace.BOUND_LEAST; i++) {
      other.accept(one, i, "a");
      other.succeed(other.take().get(0));
    }
    assertThat(other.engine.turnWanted()).as("the poll thread is to commit").isTrue();
    other.accept(one, CommitPace.BOUND_LEAST, "a");
    assertThat(other.engine.startable(other.now)).isFalse();
    assertThat(other.take()).isEmpty();
    other.commit();
    assertThat(other.take()).hasSize(1);
  }

  private static int endedUntilWorthCommitting(TestWorld world, PartitionState partition) {
    int ended = 0;
    while (!world.engine.worthCommitting()) {
      world.accept(partition, partition.ledger().position(), "a");
      world.succeed(world.take().get(0));
      ended++;
    }
    return ended;
  }

  @Test
  void aPlaceThatIsNotGivenBackIsNamed() {
    Limit leaking =
        new BulkheadLimit(
            Bulkhead.of("b", BulkheadConfig.custom().maxWaitDuration(Duration.ZERO).build()));
    TestWorld other = new TestWorld(4, List.of(leaking));
    PartitionState assigned = other.assign("t", 0);
    TestRun run = other.accept(assigned, 0, "a");
    assertThat(other.engine.audit(handler -> 0)).isEmpty();
    assertThat(other.take()).containsExactly(run);
    assertThat(other.engine.audit(handler -> 1)).isEmpty();
    assertThat(other.engine.audit(handler -> 0))
        .hasSize(2)
        .anyMatch(leak -> leak.contains("1 permits (BULKHEAD_FULL)"))
        .anyMatch(leak -> leak.contains("queue q counts 1 slots"));
    other.succeed(run);
    assertThat(other.engine.audit(handler -> 0)).isEmpty();
    assigned.lane().add(1);
    assertThat(other.engine.audit(handler -> 0))
        .singleElement()
        .asString()
        .contains("the lane of t-0 counts 1 tasks, and 0 are unfinished");
  }

  /** Twenty bad tasks with three attempts each: the guard shuts, and the next probe opens it. */
  @Test
  void aProbeIsATaskThatHasNotFailedAndOfAnotherPartition() {
    DeadLetterGuard guard =
        new DeadLetterGuard(
            1_000_000_000L,
            new DeadLetterGuard.Listener() {
              @Override
              public void shut(Throwable failure) {}

              @Override
              public void opened() {}
            });
    TestWorld other = new TestWorld(1, List.of(guard));
    other.laneCapacity = 100;
    PartitionState bad = other.assign("t", 0);
    for (int i = 0; i < DeadLetterGuard.FAILURES + 10; i++) {
      other.accept(bad, i, "bad-" + i);
    }
    PartitionState good = other.assign("t", 1);
    TestRun wellBehind = other.accept(good, 0, "good");
    for (int i = 0; i < DeadLetterGuard.FAILURES; i++) {
      List<TestRun> taken = other.take();
      for (int rest = taken.size() - 1; rest > 0; rest--) {
        other.engine.unstarted(taken.get(rest)); // as threads do behind one that fails
      }
      fail(other, taken.get(0));
    }
    other.now += 10_000_000;
    other.engine.turn(other.now); // their second attempts are due, and come first otherwise
    assertThat(other.take()).isEmpty();
    TestRun first = probe(other);
    assertThat(first.attempt()).isEqualTo(1);
    fail(other, first);
    assertThat(first.partition).isSameAs(bad);
    TestRun second = probe(other);
    assertThat(second).isSameAs(wellBehind);
    other.succeed(second);
    assertThat(other.take().get(0).attempt()).isEqualTo(2);
  }

  private static TestRun probe(TestWorld world) {
    for (int i = 0; i < 100; i++) {
      world.now += 100_000_000;
      world.engine.turn(world.now);
      world.engine.proven(world.now);
      List<TestRun> taken = world.take();
      if (!taken.isEmpty()) {
        assertThat(taken).hasSize(1);
        return taken.get(0);
      }
    }
    throw new AssertionError("no probe in 10 s");
  }

  private static void fail(TestWorld world, TestRun run) {
    run.handler()
        .attemptEnded(Limit.Ending.FAILURE, 1_000_000, new Exception(), run.attempt() == 1);
    world.engine.retry(run, 1_000_000, true, 1_000_000, world.now);
    world.engine.slotEnded(run.handler(), 1, 1_000_000);
  }

  @Test
  void theNextTaskOfAKeyDoesNotWaitForWhatCameAfterIt() {
    TestRun a1 = world.accept(partition, 0, "a");
    TestRun a2 = world.accept(partition, 1, "a");
    TestRun b1 = world.accept(partition, 2, "b");
    TestRun a3 = world.accept(partition, 3, "a");
    assertThat(takeOne()).isSameAs(a1);
    world.succeed(a1);
    assertThat(takeOne()).isSameAs(a2);
    world.succeed(a2);
    assertThat(takeOne()).as("which is older than the third of the key").isSameAs(b1);
    assertThat(takeOne()).isSameAs(a3);
  }

  @Test
  void tasksWithoutAKeyAreFree() {
    world.accept(partition, 0, null);
    world.accept(partition, 1, null);
    assertThat(takeOne().offset()).isZero();
    assertThat(takeOne().offset()).isEqualTo(1);
  }

  @Test
  void aRetriedTaskIsNotOvertakenByTheNextOfItsKey() {
    TestRun first = world.accept(partition, 0, "a");
    TestRun second = world.accept(partition, 1, "a");
    takeOne();
    engine.retry(first, 500, true, 10, world.now);
    slotEnded();
    assertThat(world.take()).isEmpty();
    assertThat(engine.nextTurnNanos(world.now)).isEqualTo(500);
    world.now += 500;
    engine.turn(world.now);
    assertThat(takeOne()).isSameAs(first);
    assertThat(first.attempt()).isEqualTo(2);
    world.succeed(first);
    assertThat(takeOne()).isSameAs(second);
  }

  @Test
  void anInterruptedAttemptIsNotCounted() {
    TestRun run = world.accept(partition, 0, "a");
    takeOne();
    engine.retry(run, 0, false, 10, world.now);
    slotEnded();
    assertThat(takeOne().attempt()).isEqualTo(1);
  }

  @Test
  void aDeadLetterHoldsItsKeyAndItsOffsetUntilItIsAcknowledged() {
    TestRun dead = world.accept(partition, 0, "a");
    TestRun next = world.accept(partition, 1, "a");
    takeOne();
    assertThat(engine.deadLetter(dead, false, 10)).isTrue();
    slotEnded();
    assertThat(world.take()).isEmpty();
    assertThat(partition.ledger().position()).isZero();
    assertThat(engine.quiet(List.of(new PartitionId("t", 0)))).isFalse();
    assertThat(engine.left(dead, Engine.Left.DEAD)).isTrue();
    assertThat(partition.ledger().position()).isEqualTo(1);
    assertThat(takeOne()).isSameAs(next);
  }

  @Test
  void aHungHandlerKeepsItsKeyUntilItsThreadComesBack() {
    TestRun hung = world.accept(partition, 0, "a");
    TestRun next = world.accept(partition, 1, "a");
    takeOne();
    engine.deadLetter(hung, true, 10);
    slotEnded();
    engine.left(hung, Engine.Left.DEAD);
    assertThat(partition.ledger().position()).isEqualTo(1);
    assertThat(world.take()).isEmpty();
    engine.hungReturned(hung);
    assertThat(takeOne()).isSameAs(next);
  }

  @Test
  void theKeyOfAHungHandlerIsForgottenWithItsPartition() {
    TestRun hung = world.accept(partition, 0, "a");
    takeOne();
    engine.deadLetter(hung, true, 10);
    slotEnded();
    engine.left(hung, Engine.Left.DEAD);
    engine.removed(new PartitionId("t", 0));
    engine.hungReturned(hung);
    assertThat(keys()).isZero();
  }

  @Test
  void nothingOfADrainingPartitionIsStarted() {
    TestRun running = world.accept(partition, 0, "a");
    world.accept(partition, 1, "b");
    takeOne();
    engine.drain(List.of(new PartitionId("t", 0)));
    assertThat(world.take()).isEmpty();
    assertThat(engine.quiet(List.of(new PartitionId("t", 0)))).isFalse();
    world.succeed(running);
    assertThat(engine.turnWanted()).isTrue();
    assertThat(engine.quiet(List.of(new PartitionId("t", 0)))).isTrue();
    engine.plan(world.now);
    assertThat(partition.pauses().has(PauseReason.DRAINING)).isTrue();
  }

  @Test
  void aCompletionOfARemovedPartitionDoesNotCount() {
    TestRun run = world.accept(partition, 0, "a");
    takeOne();
    engine.removed(new PartitionId("t", 0));
    assertThat(run.stale()).isTrue();
    assertThat(engine.succeeded(run, 10)).isFalse();
    EngineSnapshot snapshot = engine.snapshot(world.now);
    assertThat(snapshot.handlers().get(0).stale()).isEqualTo(1);
    assertThat(snapshot.handlers().get(0).succeeded()).isZero();
    assertThat(snapshot.bytes()).isZero();
    assertThat(snapshot.keys()).isZero();
  }

  @Test
  void aPartitionThatComesBackWaitsForWhatStillRunsOfIt() {
    TestRun old = world.accept(partition, 0, "a");
    takeOne();
    engine.removed(new PartitionId("t", 0));
    PartitionState again = world.assign("t", 0);
    TestRun same = world.accept(again, 0, "a");
    assertThat(world.take()).isEmpty();
    engine.succeeded(old, 10);
    slotEnded();
    assertThat(takeOne()).isSameAs(same);
  }

  @Test
  void aPartitionThatComesBackTwiceStillWaitsForWhatRunsOfIt() {
    TestRun old = world.accept(partition, 0, "a");
    takeOne();
    engine.removed(new PartitionId("t", 0));
    PartitionState second = world.assign("t", 0);
    world.accept(second, 0, "a");
    engine.removed(new PartitionId("t", 0));
    PartitionState third = world.assign("t", 0);
    TestRun same = world.accept(third, 0, "a");
    assertThat(world.take()).isEmpty();
    engine.succeeded(old, 10);
    slotEnded();
    assertThat(takeOne()).isSameAs(same);
    assertThat(world.take()).isEmpty();
  }

  @Test
  void tooManyUncommittedCompletionsHoldThePartitionUntilTheBrokerAcknowledges() {
    TestWorld small = new TestWorld();
    small.uncommittedMax = 2;
    PartitionState held = small.assign("t", 0);
    for (int offset = 0; offset < 4; offset++) {
      small.accept(held, offset, null);
    }
    small.succeed(small.take().get(0));
    assertThat(small.engine.commitSoon()).isTrue();
    small.succeed(small.take().get(0));
    assertThat(small.take()).isEmpty();
    small.engine.plan(small.now);
    assertThat(held.pauses().has(PauseReason.LEDGER_FULL)).isTrue();
    small.commit();
    assertThat(small.take()).hasSize(1);
    small.engine.plan(small.now);
    assertThat(held.pauses().paused()).isFalse();
  }

  @Test
  void theFirstUnfinishedTaskStartsAlthoughTheMetadataHasNoRoomForWhatIsDoneBehindIt() {
    TestWorld small = new TestWorld();
    small.uncommittedMax = 3;
    small.metadataBytesMax = 0;
    PartitionState held = small.assign("t", 0);
    TestRun first = small.accept(held, 0, null);
    for (int offset = 1; offset < 6; offset++) {
      small.accept(held, offset, null);
    }
    assertThat(small.take()).containsExactly(first);
    small.engine.retry(first, 1_000, true, 1, small.now);
    small.engine.slotEnded(small.handler, 1, 1_000_000);
    for (int i = 0; i < 3; i++) {
      small.succeed(small.take().get(0));
    }
    small.now += 1_000;
    small.engine.turn(small.now);
    small.commit();
    assertThat(held.ledger().uncommitted()).isEqualTo(3);
    assertThat(small.take()).containsExactly(first);
    assertThat(small.take()).isEmpty();
    small.succeed(first);
    assertThat(small.take()).isEmpty();
    small.commit();
    assertThat(held.ledger().uncommitted()).isZero();
    assertThat(small.take()).hasSize(1);
  }

  @Test
  void nothingStartsAfterAStallUntilMembershipIsProven() {
    world.accept(partition, 0, "a");
    world.now += TestWorld.STALL_NANOS + 1;
    assertThat(world.take()).isEmpty();
    assertThat(engine.suspended()).isTrue();
    assertThat(engine.turnWanted()).isTrue();
    engine.turn(world.now);
    assertThat(world.take()).isEmpty();
    engine.proven(world.now);
    takeOne();
  }

  @Test
  void nothingStartsWhileTheGroupHasNotConfirmedTheMemberForASessionTimeout() {
    world.accept(partition, 0, "a");
    long session = 2 * TestWorld.STALL_NANOS;
    long until = world.now + session * 9 / 10;
    while (until - world.now > session / 4) {
      world.now += session / 4;
      engine.turn(world.now);
    }
    assertThat(engine.wantsProof(world.now)).isTrue();
    world.now = until + 1;
    engine.turn(world.now);
    assertThat(world.take()).isEmpty();
    assertThat(engine.suspended()).isTrue();
    engine.proven(world.now - 1); // sent before: the place may have been lost since
    assertThat(world.take()).isEmpty();
    engine.proven(world.now);
    assertThat(engine.wantsProof(world.now)).isFalse();
    takeOne();
  }

  @Test
  void concurrencyOfTheQueueIsNeverExceeded() {
    for (int offset = 0; offset < 10; offset++) {
      world.accept(partition, offset, null);
    }
    TestRun first = takeOne();
    takeOne();
    takeOne();
    takeOne();
    assertThat(world.take()).isEmpty();
    world.succeed(first);
    takeOne();
    assertThat(world.take()).isEmpty();
  }

  @Test
  void aTaskThatWasTakenAndNotBegunGoesBackToTheFront() {
    TestRun first = world.accept(partition, 0, "a");
    world.accept(partition, 1, "b");
    takeOne();
    engine.unstarted(first);
    engine.slotEnded(world.handler, 0, 10);
    assertThat(takeOne()).isSameAs(first);
    assertThat(engine.snapshot(world.now).handlers().get(0).started()).isEqualTo(1);
  }

  @Test
  void aFastHandlerGetsTheTasksOfOneKeyTogetherAndInTheirOrder() {
    world.handler.worked(64, 64);
    TestRun a1 = world.accept(partition, 0, "a");
    TestRun b1 = world.accept(partition, 1, "b");
    TestRun a2 = world.accept(partition, 2, "a");
    TestRun a3 = world.accept(partition, 3, "a");
    assertThat(world.take()).containsExactly(a1, a2, a3, b1);
    assertThat(engine.succeeded(a1, 1)).isTrue();
    assertThat(world.take()).isEmpty();
    assertThat(partition.ledger().position()).isEqualTo(1);
  }

  private void quick() {
    PartitionState other = world.assign("t", 1);
    TestRun run = world.accept(other, 0, null);
    assertThat(takeOne()).isSameAs(run);
    engine.succeeded(run, 1);
    engine.slotEnded(world.handler, 1, 1);
  }

  @Test
  void whereTasksTakeNextToNothingAPartitionIsWorkedInItsOrder() {
    quick();
    TestRun a1 = world.accept(partition, 0, "a");
    TestRun b1 = world.accept(partition, 1, "b");
    engine.plan(world.now);
    TestRun b2 = world.accept(partition, 2, "b");
    TestRun c1 = world.accept(partition, 3, "c");
    assertThat(world.take()).containsExactly(a1, b1);
    assertThat(world.take()).isEmpty();
    assertThat(engine.succeeded(b1, 1)).isTrue();
    assertThat(world.take()).as("a1 may come before c1").isEmpty();
    assertThat(engine.succeeded(a1, 1)).isTrue();
    assertThat(world.take()).containsExactly(b2, c1);
    assertThat(keys()).isEqualTo(1);
  }

  @Test
  void otherKeysDoNotWaitForATaskThatTurnsOutToBeSlow() {
    quick();
    engine.plan(world.now);
    TestRun a1 = world.accept(partition, 0, "a");
    TestRun a2 = world.accept(partition, 1, "a");
    TestRun b1 = world.accept(partition, 2, "b");
    TestRun b2 = world.accept(partition, 3, "b");
    assertThat(world.take()).containsExactly(a1, a2, b1, b2);
    assertThat(engine.holdsOthersUp(a1)).isTrue();
    engine.unstarted(b2);
    engine.unstarted(b1);
    engine.unstarted(a2);
    assertThat(world.take()).isEmpty();
    engine.heldUp(a1, world.now);
    assertThat(world.take()).containsExactly(b1, b2);
    engine.plan(world.now);
    TestRun c1 = world.accept(partition, 4, "c");
    assertThat(world.take()).as("there is no line while something is slow").containsExactly(c1);
    world.succeed(a1);
    assertThat(world.take()).containsExactly(a2);
  }

  @Test
  void whatIsBehindAFailedTaskOfItsKeyWaitsForItsNextAttempt() {
    world.handler.worked(64, 64);
    TestRun a1 = world.accept(partition, 0, "a");
    TestRun a2 = world.accept(partition, 1, "a");
    TestRun a3 = world.accept(partition, 2, "a");
    assertThat(world.take()).containsExactly(a1, a2, a3);
    engine.unstarted(a3);
    engine.unstarted(a2);
    engine.retry(a1, 500, true, 10, world.now);
    slotEnded();
    assertThat(world.take()).isEmpty();
    world.now += 500;
    engine.turn(world.now);
    assertThat(takeOne()).isSameAs(a1);
    world.succeed(a1);
    assertThat(takeOne()).isSameAs(a2);
  }

  @Test
  void aTaskThatIsTakenBackAfterTheOneBeforeItEndedIsFree() {
    world.handler.worked(64, 64);
    TestRun a1 = world.accept(partition, 0, "a");
    TestRun a2 = world.accept(partition, 1, "a");
    assertThat(world.take()).containsExactly(a1, a2);
    assertThat(engine.succeeded(a1, 1)).isTrue();
    engine.unstarted(a2);
    slotEnded();
    assertThat(world.take()).containsExactly(a2);
  }

  @Test
  void aFullLaneSaysHowManyCompletionsEndItsPause() {
    for (int i = 0; i < 41; i++) {
      world.accept(partition, i, null);
    }
    assertThat(partition.surplus()).isZero();
    engine.plan(world.now);
    assertThat(partition.surplus()).as("room for a poll, while it is fetched").isEqualTo(1);
    partition.lane().stopped(true);
    assertThat(partition.surplus()).as("the low watermark, once it is not").isEqualTo(21);
    engine.drainAll();
    engine.plan(world.now);
    assertThat(partition.surplus()).isZero();
  }

  @Test
  void aHeldLimitIsTheReasonOfAPauseOnlyWhenTheLaneIsFilled() {
    FakeLimit limit = new FakeLimit(false, 0);
    TestWorld limited = new TestWorld(4, List.of(limit));
    PartitionState p = limited.assign("t", 0); // high 40, low 20
    for (int offset = 0; offset < 20; offset++) {
      limited.accept(p, offset, null);
    }
    assertThat(limited.take()).isEmpty();
    limited.engine.plan(limited.now);
    assertThat(p.pauses().paused()).isFalse();
    limited.accept(p, 20, null);
    limited.engine.plan(limited.now);
    assertThat(p.pauses().heldNanos(limited.now)).isEqualTo(Map.of(PauseReason.RATE_LIMITED, 0L));
  }

  @Test
  void whatOneLimitRefusesTakesNoPermitOfTheOthers() {
    FakeLimit generous = new FakeLimit(true, 10);
    FakeLimit refusing = new FakeLimit(false, 0);
    TestWorld limited = new TestWorld(4, List.of(generous, new FakeLimit(false, 9), refusing));
    limited.accept(limited.assign("t", 0), 0, null);
    assertThat(limited.take()).isEmpty();
    assertThat(generous.used).isZero();
    assertThat(limited.engine.nextTurnNanos(limited.now)).isEqualTo(Long.MAX_VALUE);
    refusing.permits = 1;
    limited.handler.released();
    TestRun run = limited.take().get(0);
    assertThat(generous.used).isEqualTo(1);
    limited.succeed(run);
    assertThat(generous.used + refusing.used).isZero();
  }

  @Test
  void tasksBehindOneThatWaitsMakeRoomForOtherKeysAndAreReadAgainInTheirOrder() {
    TestWorld world = new TestWorld();
    world.shelfCapacity = 1_000;
    PartitionState p = world.assign("t", 0);
    TestRun first = world.accept(p, 0, "hot");
    world.take();
    fail(world, first, 1_000_000);
    List<TestRun> hot = new ArrayList<>();
    for (int offset = 1; offset <= 500; offset++) {
      world.engine.plan(world.now);
      assertThat(p.pauses().paused()).as("paused before offset " + offset).isFalse();
      if (offset % 10 == 0) {
        TestRun other = world.accept(p, offset, "k" + offset);
        assertThat(world.take()).containsExactly(other);
        world.succeed(other);
        world.commit();
      } else {
        hot.add(world.accept(p, offset, "hot"));
      }
    }
    assertThat(hot.stream().filter(run -> !run.hasRecord).count()).isGreaterThan(400);
    assertThat(p.wantedFrom()).as("while the first one waits").isEqualTo(-1);
    assertThat(p.lane().depth() + p.shelf.size()).isEqualTo(p.ledger().undone());

    List<TestRun> worked = new ArrayList<>();
    world.now += 1_000_000;
    while (worked.size() <= hot.size()) {
      world.engine.turn(world.now);
      world.engine.proven(world.now);
      world.engine.plan(world.now);
      assertThat(p.pauses().paused()).isFalse();
      readAgain(world, p);
      for (TestRun run : world.take()) {
        assertThat(run.hasRecord).isTrue();
        worked.add(run);
        world.succeed(run);
      }
      world.commit();
    }
    assertThat(worked.get(0)).isSameAs(first);
    assertThat(worked.subList(1, worked.size())).isEqualTo(hot);
    assertThat(p.ledger().undone()).isZero();
    assertThat(world.engine.snapshot(world.now).bytes()).isZero();
    assertThat(p.lane().maxDepth()).isLessThanOrEqualTo(world.laneCapacity);
  }

  @Test
  void whatTheLogHasNoMoreEndsInItsTurn() {
    TestWorld world = new TestWorld();
    world.shelfCapacity = 1_000;
    world.laneCapacity = 12;
    PartitionState p = world.assign("t", 0);
    TestRun first = world.accept(p, 0, "hot");
    world.take();
    fail(world, first, 1_000_000);
    List<TestRun> hot = new ArrayList<>();
    for (int offset = 1; offset <= 9; offset++) {
      world.engine.plan(world.now);
      hot.add(world.accept(p, offset, "hot"));
    }
    assertThat(hot.stream().filter(run -> !run.hasRecord).count()).isGreaterThan(6);
    world.now += 1_000_000;
    world.engine.turn(world.now);

    int worked = 0;
    for (int i = 0; i < 50; i++) {
      world.engine.plan(world.now);
      for (long gone : new long[] {3, 5}) {
        TaskRun lost = p.wantedAt(gone);
        if (lost != null) {
          world.engine.lostFromLog(lost);
        }
      }
      readAgain(world, p);
      for (TestRun run : world.take()) {
        worked++;
        world.succeed(run);
      }
    }
    assertThat(worked).isEqualTo(8);
    assertThat(p.ledger().undone()).isZero();
    assertThat(p.shelf.size()).isZero();
    assertThat(world.engine.snapshot(world.now).bytes()).isZero();
    assertThat(world.engine.snapshot(world.now).keys()).isZero();
  }

  private static void fail(TestWorld world, TestRun run, long delayNanos) {
    run.handler().attemptEnded(Limit.Ending.FAILURE, 1, null);
    world.engine.retry(run, delayNanos, true, 1, world.now);
    world.engine.slotEnded(run.handler(), 1, 1);
  }

  /** As the poll thread does: everything from the first wanted one on that is wanted. */
  private static void readAgain(TestWorld world, PartitionState p) {
    for (TaskRun run : p.wantedIn(0, Long.MAX_VALUE)) {
      if (world.engine.hasRoomFor(run)) {
        ((TestRun) run).hasRecord = true;
        world.engine.unshelved(run, TestRun.BYTES);
      }
    }
  }

  @Test
  void bytesOfAllPartitionsTogetherPauseFetching() {
    Engine small =
        new Engine(4 * TestRun.BYTES, new Membership(2 * TestWorld.STALL_NANOS, 0), 1, 0);
    QueueState queue = new QueueState("q", 10);
    HandlerState handler = new HandlerState(queue, "*", List.of());
    small.add(handler);
    PartitionState p =
        small.assigned(
            new Assignment(
                queue, "t", 0, 0, 0, 0, dev.sluice.flow.ledger.DoneRanges.NONE, 50, 0, 10, 100));
    for (int offset = 0; offset < 4; offset++) {
      small.accept(new TestRun(offset, p, handler, new OrderedBy(false, 0)));
    }
    small.plan(0);
    assertThat(p.pauses().has(PauseReason.BYTES_FULL)).isTrue();
    TaskRun[] one = new TaskRun[1];
    small.take(one, 0);
    small.succeeded(one[0], 1);
    handler.attemptEnded(Limit.Ending.SUCCESS, 1, null);
    small.slotEnded(handler, 1, 1);
    small.plan(0);
    assertThat(p.pauses().paused()).isFalse();
  }
}
