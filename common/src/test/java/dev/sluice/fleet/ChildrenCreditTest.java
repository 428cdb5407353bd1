// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.credit.CreditAccount;
import dev.sluice.flow.credit.CreditBook;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.testing.Seeds;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Random trees of tasks in a queue that is too small for them, under the coordinator's credit. */
class ChildrenCreditTest {
  private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final String PRODUCER = "p";

  /** A task that has returned and has submitted some. */
  private record Parent(int depth, int children) {}

  private static final class Depth {
    final CreditAccount account = new CreditAccount();
    final Deque<Parent> waiting = new ArrayDeque<>();
    long taken;
  }

  private static final class Worker {
    final String name;
    final List<Integer> ready = new ArrayList<>();
    final TreeMap<Integer, Depth> depths = new TreeMap<>();

    Worker(String name) {
      this.name = name;
    }
  }

  /** One run. */
  private static final class World {
    final RandomGenerator random;
    final int capacity;
    final int maxDepth;
    final int perTask;
    final CreditState state;
    final List<Worker> workers = new ArrayList<>();
    final CreditAccount producer = new CreditAccount();
    long roots;
    long appended;
    long finished;
    long now = 1;

    World(RandomGenerator random) {
      this.random = random;
      capacity = random.nextInt(4, 60);
      maxDepth = random.nextInt(1, 6);
      perTask = random.nextInt(1, 4);
      roots = random.nextInt(1, 3 * capacity);
      state =
          new CreditState(
              "q", new CreditSettings(capacity, 0, perTask, PrioritiesDefinition.NONE), true);
      int count = random.nextInt(1, 5);
      for (int i = 0; i < count; i++) {
        workers.add(new Worker("w" + i));
      }
    }

    void append(int depth) {
      appended++;
      workers.get(random.nextInt(workers.size())).ready.add(depth);
      assertThat(appended - finished)
          .as("backlog, of %s and %s * %s more", capacity, maxDepth, perTask)
          .isLessThanOrEqualTo(capacity + (long) maxDepth * perTask);
    }

    void step() {
      now += STEP_NANOS;
      switch (random.nextInt(6)) {
        case 0 -> workers.forEach(this::work);
        case 1 -> workers.forEach(this::publish);
        case 2 -> report(workers.get(random.nextInt(workers.size())));
        case 3 -> sample();
        case 4 -> grant();
        default -> produce();
      }
    }

    void sample() {
      CreditBook.Sample sample = state.sample();
      state.sampled(sample, finished, appended, now);
    }

    void work(Worker worker) {
      while (!worker.ready.isEmpty() && random.nextInt(4) > 0) {
        int depth = worker.ready.remove(random.nextInt(worker.ready.size()));
        int children = depth == maxDepth ? 0 : random.nextInt(perTask + 1);
        if (children == 0) {
          finished++;
        } else {
          worker
              .depths
              .computeIfAbsent(depth + 1, d -> new Depth())
              .waiting
              .add(new Parent(depth, children));
        }
      }
    }

    void publish(Worker worker) {
      worker.depths.forEach(
          (number, depth) -> {
            for (Parent next = depth.waiting.peek();
                next != null && depth.account.available(now) >= next.children();
                next = depth.waiting.peek()) {
              depth.waiting.remove();
              depth.taken += next.children();
              for (int i = 0; i < next.children(); i++) {
                assertThat(depth.account.take(now)).isTrue();
                append(number);
                depth.account.spent();
              }
              finished++;
            }
          });
    }

    void report(Worker worker) {
      worker.depths.forEach(
          (number, depth) -> {
            CreditAccount account = depth.account;
            long soon = depth.taken;
            depth.taken = 0;
            if (depth.waiting.isEmpty() && soon == 0) {
              account.close();
            }
            long wanted = soon + depth.waiting.stream().mapToLong(Parent::children).sum();
            Parent first = depth.waiting.peek();
            state.reported(
                worker.name,
                new CreditReport(
                    "q",
                    account.granted(),
                    account.spentTotal(),
                    account.returnedTotal(),
                    account.inFlight() + wanted,
                    depth.waiting.size(),
                    0,
                    0,
                    CreditLine.depth(number),
                    first == null ? 0 : account.inFlight() + first.children(),
                    0),
                0,
                now);
          });
    }

    void grant() {
      state.distribute(now);
      long lease = now + TimeUnit.HOURS.toNanos(1);
      for (Worker worker : workers) {
        worker.depths.forEach(
            (number, depth) ->
                depth.account.apply(
                    state.grant(worker.name, CreditLine.depth(number)).granted(),
                    0,
                    false,
                    lease,
                    now));
      }
      producer.apply(state.grant(PRODUCER, CreditLine.PRODUCED).granted(), 0, false, lease, now);
    }

    void produce() {
      while (roots > 0 && producer.take(now)) {
        append(0);
        producer.spent();
        roots--;
      }
      state.reported(
          PRODUCER,
          new CreditReport(
              "q",
              producer.granted(),
              producer.spentTotal(),
              producer.returnedTotal(),
              producer.inFlight() + Math.min(roots, 32),
              roots,
              0,
              0,
              0),
          0,
          now);
    }

    boolean over() {
      return roots == 0 && appended == finished;
    }
  }

  @Test
  void everyTreeEndsAndTheBacklogStaysWithinItsAllowance() {
    Seeds.each(
        300,
        random -> {
          World world = new World(random);
          world.sample();
          long last = -1;
          for (int idle = 0; !world.over(); ) {
            for (int i = 0; i < 100; i++) {
              world.step();
            }
            long moved = world.appended + world.finished;
            idle = moved == last ? idle + 1 : 0;
            last = moved;
            assertThat(idle)
                .as(
                    "rounds without a move; %s of %s unfinished",
                    world.appended - world.finished, world.capacity)
                .isLessThan(50);
          }
        });
  }
}
