// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class AllAtOnceTest {
  @Test
  void thoseThatWaitForEachOtherGetThrough() {
    CyclicBarrier all = new CyclicBarrier(3);
    AllAtOnce.run(
        "start",
        List.of(1, 2, 3),
        broker -> {
          try {
            all.await(20, TimeUnit.SECONDS);
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        },
        20);
    assertThat(all.isBroken()).isFalse();
  }

  @Test
  void whenOneFailsTheOthersAreInterruptedBeforeTheErrorIsThrown() {
    CountDownLatch interrupted = new CountDownLatch(1);
    LocalKafkaException failure = new LocalKafkaException("broken");
    assertThatThrownBy(
            () ->
                AllAtOnce.run(
                    "start",
                    List.of(1, 2),
                    broker -> {
                      if (broker == 1) {
                        throw failure;
                      }
                      waitUntilInterrupted(interrupted);
                    },
                    20))
        .isSameAs(failure);
    assertThat(interrupted.getCount()).isZero();
  }

  @Test
  void oneThatTakesTooLongIsInterruptedAndNamedByWhatItShouldDo() {
    CountDownLatch interrupted = new CountDownLatch(1);
    assertThatThrownBy(
            () -> AllAtOnce.run("stop", List.of(1), b -> waitUntilInterrupted(interrupted), 1))
        .isInstanceOf(LocalKafkaException.class)
        .hasMessageContaining("did not stop within 1 s");
    assertThat(interrupted.getCount()).isZero();
  }

  private static void waitUntilInterrupted(CountDownLatch interrupted) {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      interrupted.countDown();
    }
  }
}
