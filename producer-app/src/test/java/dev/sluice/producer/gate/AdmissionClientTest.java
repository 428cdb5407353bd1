// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.flow.gate.Admission;
import dev.sluice.flow.gate.Admission.Refusal;
import dev.sluice.flow.gate.Admission.Refused;
import dev.sluice.flow.gate.Admission.WaitNanos;
import dev.sluice.flow.gate.ProducerGate;
import dev.sluice.flow.limit.TokenBucket;
import dev.sluice.time.SystemClock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AdmissionClientTest {
  private static final long LONG = TimeUnit.SECONDS.toNanos(30);

  private final ExecutorService threads =
      new ThreadPoolExecutor(0, 32, 1, TimeUnit.SECONDS, new SynchronousQueue<>());

  @AfterEach
  void stopThreads() {
    threads.shutdownNow();
  }

  @Test
  void admitsAWaiterWhenSomethingLeaves() throws Exception {
    AdmissionClient admission = client(1, 100);
    Permit first = new Permit(10);
    assertThat(admission.enter(first, 0)).isEqualTo(Admission.ADMITTED);
    Future<Admission> second = threads.submit(() -> admission.enter(new Permit(10), LONG));
    await().until(() -> admission.waiting() == 1);

    admission.leave(first);

    assertThat(second.get()).isEqualTo(Admission.ADMITTED);
    assertThat(admission.tasks()).isEqualTo(1);
  }

  @Test
  void givesUpWhenTheTimeIsUpAndLeavesNothingBehind() throws Exception {
    AdmissionClient admission = client(1, 100);
    Permit first = new Permit(10);
    admission.enter(first, 0);

    assertThat(admission.enter(new Permit(10), 1_000_000)).isInstanceOf(WaitNanos.class);
    assertThat(admission.waiting()).isZero();
    admission.leave(first);
    assertThat(admission.tasks()).isZero();
    assertThat(admission.bytes()).isZero();
  }

  @Test
  void releasesAPermitOnceHoweverOftenItLeaves() throws Exception {
    AdmissionClient admission = client(2, 100);
    Permit first = new Permit(10);
    Permit never = new Permit(10);
    admission.enter(first, 0);
    admission.enter(new Permit(20), 0);

    admission.end(first);
    admission.leave(first);
    admission.leave(first);
    admission.leave(never);
    admission.end(never);

    assertThat(admission.tasks()).isEqualTo(1);
    assertThat(admission.bytes()).isEqualTo(20);
  }

  @Test
  void servesWaitersInTheirOrderAndNobodyOvertakes() throws Exception {
    AdmissionClient admission = client(1, 100);
    Permit inside = new Permit(100);
    admission.enter(inside, 0);
    List<Integer> order = Collections.synchronizedList(new ArrayList<>());
    List<Future<Permit>> waiters = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      int number = i;
      waiters.add(
          threads.submit(
              () -> {
                Permit permit = new Permit(number == 0 ? 100 : 1);
                assertThat(admission.enter(permit, LONG)).isEqualTo(Admission.ADMITTED);
                order.add(number);
                return permit;
              }));
      await().until(() -> admission.waiting() == number + 1);
    }
    assertThat(admission.enter(new Permit(0), 0)).isInstanceOf(WaitNanos.class);

    for (Future<Permit> waiter : waiters) {
      admission.leave(inside);
      inside = waiter.get();
    }
    assertThat(order).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
  }

  @Test
  void anInterruptedWaiterMakesRoomForTheNext() throws Exception {
    AdmissionClient admission = client(1, 100);
    Permit inside = new Permit(10);
    admission.enter(inside, 0);
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    Thread waiter =
        new Thread(
            () -> {
              try {
                Admission ignored = admission.enter(new Permit(10), LONG);
                thrown.complete(null);
              } catch (InterruptedException e) {
                thrown.complete(e);
              }
            });
    waiter.start();
    await().until(() -> admission.waiting() == 1);
    Future<Admission> behind = threads.submit(() -> admission.enter(new Permit(10), LONG));
    await().until(() -> admission.waiting() == 2);

    waiter.interrupt();
    assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
    admission.leave(inside);

    assertThat(behind.get()).isEqualTo(Admission.ADMITTED);
    assertThat(admission.tasks()).isEqualTo(1);
  }

  @Test
  void closingRefusesEveryWaiter() throws Exception {
    AdmissionClient admission = client(1, 100);
    admission.enter(new Permit(10), 0);
    List<Future<Admission>> waiters = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      waiters.add(threads.submit(() -> admission.enter(new Permit(10), Long.MAX_VALUE)));
    }
    await().until(() -> admission.waiting() == 5);

    admission.close();

    for (Future<Admission> waiter : waiters) {
      assertThat(waiter.get(10, TimeUnit.SECONDS)).isEqualTo(new Refused(Refusal.CLOSED));
    }
    assertThat(admission.enter(new Permit(1), LONG)).isEqualTo(new Refused(Refusal.CLOSED));
  }

  @Test
  void waitsForTheNextTokenByItself() throws Exception {
    TokenBucket bucket = new TokenBucket(20, 1, SystemClock.INSTANCE.nanos());
    AdmissionClient admission =
        new AdmissionClient(new ProducerGate(100, 1_000, bucket), SystemClock.INSTANCE);
    long start = System.nanoTime();
    for (int i = 0; i < 5; i++) {
      assertThat(admission.enter(new Permit(1), LONG)).isEqualTo(Admission.ADMITTED);
    }
    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(200_000_000L);
  }

  @Test
  void aFlushEndsWithWhatWasInsideAlthoughOthersKeepComing() throws Exception {
    AdmissionClient admission = client(10, 1_000);
    Permit before = new Permit(1);
    admission.enter(before, 0);
    assertThat(admission.awaitEmpty(1_000_000)).isFalse();
    Future<Boolean> flush = threads.submit(() -> admission.awaitEmpty(LONG));
    Relay relay = new Relay();
    Future<?> others =
        threads.submit(
            () -> {
              // There is always one inside.
              while (!relay.stop.get()) {
                Permit next = new Permit(1);
                Admission ignored = admission.enter(next, LONG);
                relay.replace(admission, next);
              }
              return null;
            });
    await().until(() -> relay.turns.get() > 100);
    assertThat(flush.isDone()).isFalse();

    admission.leave(before);
    assertThat(flush.isDone()).isFalse();
    admission.end(before);

    assertThat(flush.get(10, TimeUnit.SECONDS)).isTrue();
    relay.stop.set(true);
    others.get();
    assertThat(admission.tasks()).isEqualTo(1);
  }

  private static final class Relay {
    final AtomicBoolean stop = new AtomicBoolean();
    final AtomicInteger turns = new AtomicInteger();
    private Permit last;

    void replace(AdmissionClient admission, Permit next) {
      if (last != null) {
        admission.leave(last);
        admission.end(last);
      }
      last = next;
      turns.incrementAndGet();
    }
  }

  @RepeatedTest(3)
  void staysWithinItsBoundsUnderManyThreadsAndEndsEmpty() throws Exception {
    int tasksMax = 7;
    long bytesMax = 1_000;
    AdmissionClient admission = client(tasksMax, bytesMax);
    AtomicInteger tasks = new AtomicInteger();
    AtomicLong bytes = new AtomicLong();
    AtomicInteger worst = new AtomicInteger();
    AtomicLong worstBytes = new AtomicLong();
    ArrayBlockingQueue<Permit> permits = new ArrayBlockingQueue<>(1_000);
    int producers = 8;
    int each = 3_000;
    List<Future<Integer>> work = new ArrayList<>();
    for (int p = 0; p < producers; p++) {
      SplittableRandom random = new SplittableRandom(p);
      work.add(
          threads.submit(
              () -> {
                int admitted = 0;
                for (int i = 0; i < each; i++) {
                  long size = random.nextLong(400);
                  Permit permit = new Permit(size);
                  Admission answer =
                      admission.enter(permit, random.nextInt(4) == 0 ? 10_000 : LONG);
                  if (answer == Admission.ADMITTED) {
                    admitted++;
                    worst.accumulateAndGet(tasks.incrementAndGet(), Math::max);
                    worstBytes.accumulateAndGet(bytes.addAndGet(size), Math::max);
                    permits.put(permit);
                  }
                }
                return admitted;
              }));
    }
    AtomicBoolean done = new AtomicBoolean();
    Future<Integer> broker =
        threads.submit(
            () -> {
              int left = 0;
              while (!done.get() || !permits.isEmpty()) {
                Permit permit = permits.poll(1, TimeUnit.MILLISECONDS);
                if (permit != null) {
                  tasks.decrementAndGet();
                  bytes.addAndGet(-permit.bytes);
                  admission.leave(permit);
                  admission.end(permit);
                  left++;
                }
              }
              return left;
            });
    int admitted = 0;
    for (Future<Integer> one : work) {
      admitted += one.get();
    }
    done.set(true);

    assertThat(broker.get()).isEqualTo(admitted);
    assertThat(worst.get()).isLessThanOrEqualTo(tasksMax);
    assertThat(worstBytes.get()).isLessThanOrEqualTo(bytesMax);
    assertThat(admission.tasks()).isZero();
    assertThat(admission.bytes()).isZero();
    assertThat(admission.waiting()).isZero();
    assertThat(admission.awaitEmpty(0)).isTrue();
  }

  private static AdmissionClient client(int tasks, long bytes) {
    return new AdmissionClient(new ProducerGate(tasks, bytes, null), SystemClock.INSTANCE);
  }
}
