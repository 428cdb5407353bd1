// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.credit.CreditAccount;
import dev.sluice.flow.share.FairClock;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.testing.Seeds;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Producers of several priorities in a queue with a capacity, under the coordinator's credit. */
class PriorityCreditTest {
  private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final int STEPS_PER_SECOND = 100;
  private static final int WARM_SECONDS = 10;
  private static final int SECONDS = 20;
  private static final int POCKET = 32;

  /** A producer of one priority. */
  private static final class Producer {
    final String name;
    final CreditLine line;
    final CreditAccount account = new CreditAccount();

    /** When each of those came that wait for credit. */
    final Deque<Long> waiting = new ArrayDeque<>();

    double owed;
    double rate;
    long took;
    int reported;

    Producer(String name, int level) {
      this.name = name;
      this.line = CreditLine.priority(level);
    }

    /** Every quarter of a second, and sooner when credit runs low, as fleet members do. */
    boolean reports(int step, long nowNanos, RandomGenerator random) {
      boolean low = account.available(nowNanos) < 0.4 * rate;
      boolean due = step - reported >= 25 || low && random.nextInt(10) == 0 || step < reported;
      reported = due ? step : reported;
      return due;
    }
  }

  /** One run. */
  private static final class World {
    final RandomGenerator random;
    final PrioritiesDefinition priorities;
    final int perStep;
    final int capacity;
    final CreditState state;
    final FairClock clock = new FairClock();
    final FairClock.Sharer[] sharers;
    final List<Producer> producers = new ArrayList<>();
    final long[] backlog;
    final long[] served;
    long appended;
    long finished;
    long now = 1;
    long longestWaitOfTop;

    World(RandomGenerator random) {
      this.random = random;
      int levels = random.nextInt(2, 5);
      List<Integer> weights = new ArrayList<>();
      for (int level = 0; level < levels; level++) {
        weights.add(random.nextInt(1, 10) + 9 * level);
      }
      priorities =
          new PrioritiesDefinition(
              weights, random.nextBoolean() ? 0 : random.nextDouble() / levels);
      perStep = random.nextInt(1, 20);
      sharers = new FairClock.Sharer[levels];
      backlog = new long[levels];
      served = new long[levels];
      for (int level = 0; level < levels; level++) {
        sharers[level] = new FairClock.Sharer(priorities.share(level));
        int count = random.nextInt(1, 3);
        for (int i = 0; i < count; i++) {
          producers.add(new Producer("p" + level + "-" + i, level));
        }
      }
      // A second's work and more: with less, the control loop is what bounds the rate.
      int least = Math.max(2 * POCKET * producers.size(), perStep * STEPS_PER_SECOND);
      capacity = least + random.nextInt(least);
      state = new CreditState("q", new CreditSettings(capacity, 0, 0, priorities), true);
      state.sampled(state.sample(), 0, 0, now);
    }

    int top() {
      return sharers.length - 1;
    }

    /**
     * @param topPart what the most urgent ones offer of what can be done; all others offer more
     */
    void step(int number, double topPart) {
      now += STEP_NANOS;
      int ofTop = (int) producers.stream().filter(p -> p.line.priority() == top()).count();
      for (Producer producer : producers) {
        boolean urgent = producer.line.priority() == top();
        double offered = urgent ? topPart * perStep / ofTop : 2.0 * perStep;
        produce(producer, offered);
        if (producer.reports(number, now, random)) {
          report(producer);
        }
      }
      serve();
      if (number % 5 == 0) {
        var sample = state.sample();
        state.sampled(sample, finished, appended, now);
        state.distribute(now);
        for (Producer producer : producers) {
          producer.account.apply(
              state.grant(producer.name, producer.line).granted(),
              0,
              false,
              now + TimeUnit.HOURS.toNanos(1),
              now);
        }
      }
    }

    void produce(Producer producer, double offered) {
      producer.owed += offered;
      for (; producer.owed >= 1; producer.owed--) {
        if (producer.waiting.size() < 100) {
          producer.waiting.add(now);
        }
      }
      long before = producer.took;
      while (!producer.waiting.isEmpty() && producer.account.take(now)) {
        long since = now - producer.waiting.remove();
        if (producer.line.priority() == top()
            && now > WARM_SECONDS * STEPS_PER_SECOND * STEP_NANOS) {
          longestWaitOfTop = Math.max(longestWaitOfTop, since);
        }
        producer.account.spent();
        producer.took++;
        appended++;
        if (backlog[producer.line.priority()]++ == 0) {
          clock.enter(sharers[producer.line.priority()]);
        }
        assertThat(appended - finished).as("backlog").isLessThanOrEqualTo(capacity);
      }
      double perSecond = (producer.took - before) * (double) STEPS_PER_SECOND;
      producer.rate += (perSecond - producer.rate) / 50;
    }

    void report(Producer producer) {
      CreditAccount account = producer.account;
      boolean held = !producer.waiting.isEmpty();
      long ahead = (long) Math.max(POCKET, producer.rate / 2 * (held ? 2 : 1.25));
      state.reported(
          producer.name,
          new CreditReport(
              "q",
              account.granted(),
              account.spentTotal(),
              account.returnedTotal(),
              account.inFlight() + producer.waiting.size() + ahead,
              producer.waiting.size(),
              0,
              0,
              producer.line,
              0,
              0),
          0,
          now);
    }

    void serve() {
      for (int i = 0; i < perStep; i++) {
        int best = -1;
        for (int level = top(); level >= 0; level--) {
          if (backlog[level] > 0 && (best < 0 || sharers[level].tag() < sharers[best].tag())) {
            best = level;
          }
        }
        if (best < 0) {
          return;
        }
        clock.serve(sharers[best]);
        backlog[best]--;
        served[best]++;
        finished++;
      }
    }

    void run(double topPart) {
      for (int i = 0; i < WARM_SECONDS * STEPS_PER_SECOND; i++) {
        step(i, topPart);
      }
      Arrays.fill(served, 0);
      for (int i = 0; i < SECONDS * STEPS_PER_SECOND; i++) {
        step(i, topPart);
      }
    }

    double could() {
      return (double) perStep * STEPS_PER_SECOND * SECONDS;
    }
  }

  @Test
  void whenAllOfferMoreThanCanBeDoneEachIsLetInForItsPart() {
    Seeds.each(
        60,
        random -> {
          World world = new World(random);
          world.run(2);
          long all = 0;
          for (int level = 0; level <= world.top(); level++) {
            all += world.served[level];
            assertThat(world.served[level] / world.could())
                .as("priority %s of %s, capacity %s", level, world.priorities, world.capacity)
                .isGreaterThan(0.95 * world.priorities.share(level) - 0.005);
          }
          assertThat(all / world.could()).isGreaterThan(0.97);
        });
  }

  /** As much as their part at most: there is room for them, whatever others offer. */
  @Test
  void urgentOnesWithinTheirPartDoNotWaitToBeLetIn() {
    Seeds.each(
        60,
        random -> {
          World world = new World(random);
          double part = 0.8 * world.priorities.share(world.top());
          world.run(part);
          long all = 0;
          for (long each : world.served) {
            all += each;
          }
          assertThat(world.served[world.top()] / world.could())
              .as("of %s, capacity %s", world.priorities, world.capacity)
              .isGreaterThan(0.97 * part - 0.005);
          assertThat(all / world.could()).isGreaterThan(0.97);
          assertThat(world.longestWaitOfTop)
              .as("wait, of %s, capacity %s", world.priorities, world.capacity)
              .isLessThan(TimeUnit.MILLISECONDS.toNanos(250));
        });
  }
}
