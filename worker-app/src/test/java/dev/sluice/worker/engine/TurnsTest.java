// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.ledger.DoneRanges;
import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.queue.TenantDefinition;
import dev.sluice.queue.TenantsDefinition;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Who of several tenants and priorities is served when. */
class TurnsTest {
  private static final int LANE = 100_000;

  /** One queue with a worker of its own. */
  private static final class World {
    final Engine engine =
        new Engine(1L << 40, new Membership(2 * TestWorld.STALL_NANOS, 1_000), 42, 1_000);
    final QueueState queue;
    final List<HandlerState> handlers = new ArrayList<>();
    final List<PartitionState> partitions = new ArrayList<>();
    final Deque<TestRun> running = new ArrayDeque<>();
    private final long[] next = new long[PrioritiesDefinition.LEVELS_MAX];
    long now = 1_000;

    World(int concurrency, PrioritiesDefinition priorities, TenantsDefinition tenants) {
      this(concurrency, priorities, tenants, List.of("*"));
    }

    World(
        int concurrency,
        PrioritiesDefinition priorities,
        TenantsDefinition tenants,
        List<String> types) {
      queue = new QueueState("q", concurrency, false, priorities, tenants);
      for (String type : types) {
        HandlerState handler = new HandlerState(queue, type, List.of());
        handlers.add(handler);
        engine.add(handler);
      }
      for (int level = 0; level < priorities.levels(); level++) {
        partitions.add(
            engine.assigned(
                new Assignment(
                    queue,
                    PrioritiesDefinition.topic("q", level),
                    0,
                    level,
                    0,
                    0,
                    DoneRanges.NONE,
                    LANE,
                    0,
                    100,
                    LANE)));
      }
    }

    void accept(int level, String tenant, int tasks) {
      accept(handlers.get(0), level, tenant, tasks);
    }

    void accept(HandlerState handler, int level, String tenant, int tasks) {
      for (int i = 0; i < tasks; i++) {
        TestRun run =
            new TestRun(next[level]++, partitions.get(level), handler, new OrderedBy(false, 0));
        run.served(level, tenant);
        engine.accept(run);
      }
    }

    /** A thread looks for a task; null if it finds none. */
    TestRun start() {
      TaskRun[] one = new TaskRun[1];
      if (engine.take(one, now) == 0) {
        return null;
      }
      TestRun run = (TestRun) one[0];
      running.add(run);
      return run;
    }

    void end(TestRun run) {
      running.remove(run);
      run.handler().attemptEnded(Limit.Ending.SUCCESS, 1, null);
      engine.succeeded(run, 1);
      engine.slotEnded(run.handler(), 1, TimeUnit.MILLISECONDS.toNanos(1));
    }

    /** What has ended no longer waits for a commit, which would hold the rest. */
    void commit() {
      engine.acknowledged(engine.snapshots(engine.partitions(), 3_500));
    }

    /** So many tasks one after the other; whose they were. */
    List<TestRun> serve(int tasks) {
      List<TestRun> served = new ArrayList<>();
      for (int i = 0; i < tasks; i++) {
        TestRun run = start();
        if (run == null) {
          break;
        }
        served.add(run);
        end(run);
      }
      return served;
    }
  }

  private static int of(List<TestRun> served, String tenant) {
    return (int) served.stream().filter(run -> run.tenant().equals(tenant)).count();
  }

  private static int of(List<TestRun> served, int level) {
    return (int) served.stream().filter(run -> run.level() == level).count();
  }

  @Test
  void whoHasSubmittedMuchDoesNotMakeOthersWait() {
    World world = new World(1, PrioritiesDefinition.NONE, TenantsDefinition.EQUAL);
    world.accept(0, "a", 1_000);
    assertThat(of(world.serve(100), "a")).isEqualTo(100);
    world.accept(0, "b", 10);
    world.accept(0, "c", 10);
    List<TestRun> served = world.serve(33);
    assertThat(of(served, "b")).isEqualTo(10);
    assertThat(of(served, "c")).isEqualTo(10);
    assertThat(world.serve(2_000)).hasSize(1_020 - 133);
  }

  @Test
  void whoComesLastIsServedNext() {
    World world = new World(1, PrioritiesDefinition.NONE, TenantsDefinition.EQUAL);
    world.accept(0, "a", 1_000);
    for (int other = 0; other < 20; other++) {
      world.accept(0, "busy" + other, 100);
    }
    assertThat(world.serve(210)).hasSize(210);
    world.accept(0, "z", 1);
    assertThat(of(world.serve(22), "z")).as("after at most one of each").isEqualTo(1);
  }

  @Test
  void weightsAreKept() {
    World world =
        new World(
            1,
            PrioritiesDefinition.NONE,
            TenantsDefinition.EQUAL.with("a", TenantDefinition.DEFAULT.withWeight(3)));
    world.accept(0, "a", 1_000);
    world.accept(0, "b", 1_000);
    List<TestRun> served = world.serve(400);
    assertThat(of(served, "a")).isBetween(299, 301);
  }

  @Test
  void aTenantAtItsConcurrencyLetsOthersGoOn() {
    World world =
        new World(
            10,
            PrioritiesDefinition.NONE,
            TenantsDefinition.EQUAL.with("a", TenantDefinition.DEFAULT.withConcurrency(2)));
    world.accept(0, "a", 10);
    TestRun first = world.start();
    assertThat(world.start()).isNotNull();
    assertThat(world.start()).as("a third one of a").isNull();
    world.engine.plan(world.now);
    assertThat(world.handlers.get(0).heldBy(world.now)).isEqualTo(PauseReason.TENANT_LIMIT);

    world.accept(0, "b", 1);
    TestRun other = world.start();
    assertThat(other.tenant()).isEqualTo("b");
    assertThat(world.start()).isNull();

    world.end(first);
    assertThat(world.start().tenant()).isEqualTo("a");
    assertThat(world.start()).isNull();
  }

  @Test
  void aTenantAtItsRateLetsOthersGoOnAndGoesOnInTime() {
    World world =
        new World(
            10,
            PrioritiesDefinition.NONE,
            TenantsDefinition.EQUAL.withEach(TenantDefinition.DEFAULT.withRate(10)));
    world.accept(0, "a", 3);
    assertThat(of(world.serve(3), "a")).isEqualTo(1);
    world.accept(0, "b", 1);
    assertThat(of(world.serve(1), "b")).isEqualTo(1);
    assertThat(world.start()).isNull();
    assertThat(world.engine.startable(world.now)).isFalse();
    assertThat(world.engine.nextTurnNanos(world.now))
        .isBetween(1L, TimeUnit.MILLISECONDS.toNanos(100));
    world.now += TimeUnit.MILLISECONDS.toNanos(100);
    world.engine.turn(world.now);
    assertThat(of(world.serve(3), "a")).isEqualTo(1);
  }

  @Test
  void prioritiesAreServedByTheirWeights() {
    World world = new World(1, new PrioritiesDefinition(List.of(1, 9), 0), TenantsDefinition.NONE);
    world.accept(0, "", 1_000);
    assertThat(of(world.serve(50), 0)).isEqualTo(50);
    world.accept(1, "", 1_000);
    assertThat(world.start().level()).as("urgent and new").isEqualTo(1);
    world.end(world.running.peek());
    List<TestRun> served = world.serve(500);
    assertThat(of(served, 0)).isBetween(49, 51);
    world.commit();
    assertThat(of(world.serve(1_449), 0)).isEqualTo(950 - of(served, 0));
  }

  @Test
  void theFloorIsKeptWhateverTheWeights() {
    World world =
        new World(1, new PrioritiesDefinition(List.of(1, 1_000), 0.2), TenantsDefinition.NONE);
    world.accept(0, "", 1_000);
    world.accept(1, "", 1_000);
    assertThat(of(world.serve(500), 0)).isBetween(99, 102);
  }

  @Test
  void prioritiesHoldAcrossTheHandlersOfAQueue() {
    World world =
        new World(
            1,
            new PrioritiesDefinition(List.of(1, 9), 0),
            TenantsDefinition.NONE,
            List.of("x", "y"));
    world.accept(world.handlers.get(0), 0, "", 500);
    world.accept(world.handlers.get(1), 1, "", 500);
    List<TestRun> served = world.serve(100);
    assertThat(of(served, 0)).isBetween(9, 11);
  }

  @Test
  void tenantsOfAPriorityAreServedInTurns() {
    World world = new World(1, new PrioritiesDefinition(List.of(1, 9), 0), TenantsDefinition.EQUAL);
    world.accept(1, "a", 1_000);
    world.accept(1, "b", 10);
    assertThat(of(world.serve(21), "b")).isEqualTo(10);
  }

  @Test
  void theLastMemoryIsForUrgentTasks() {
    Engine engine =
        new Engine(100 * TestRun.BYTES, new Membership(2 * TestWorld.STALL_NANOS, 0), 42, 0);
    QueueState queue =
        new QueueState(
            "q", 1, false, new PrioritiesDefinition(List.of(1, 9), 0), TenantsDefinition.NONE);
    HandlerState handler = new HandlerState(queue, "*", List.of());
    engine.add(handler);
    List<PartitionState> partitions = new ArrayList<>();
    for (int level = 0; level < 2; level++) {
      partitions.add(
          engine.assigned(
              new Assignment(queue, "q" + level, 0, level, 0, 0, DoneRanges.NONE, LANE, 0, 1, 99)));
    }
    for (int i = 0; i < 75; i++) {
      TestRun run = new TestRun(i, partitions.get(0), handler, new OrderedBy(false, 0));
      run.served(0, "");
      engine.accept(run);
    }
    TestRun urgent = new TestRun(0, partitions.get(1), handler, new OrderedBy(false, 0));
    urgent.served(1, "");
    engine.accept(urgent);
    engine.plan(0);
    assertThat(partitions.get(0).pauses().has(PauseReason.BYTES_FULL)).isTrue();
    assertThat(partitions.get(1).pauses().paused()).isFalse();
    TaskRun[] one = new TaskRun[1];
    for (int i = 0; i < 26; i++) {
      assertThat(engine.take(one, 0)).isEqualTo(1);
      engine.succeeded(one[0], 1);
      engine.slotEnded(handler, 1, TimeUnit.MILLISECONDS.toNanos(1));
    }
    engine.plan(0);
    assertThat(partitions.get(0).pauses().paused()).isFalse();
  }
}
