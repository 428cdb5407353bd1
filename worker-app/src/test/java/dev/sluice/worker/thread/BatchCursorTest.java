// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.thread;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class BatchCursorTest {
  private static final int BATCHES = 20_000;
  private static final int SIZE = 6;

  private final BatchCursor cursor = new BatchCursor();

  @Test
  void beginsEndsAndGoesOn() {
    assertThat(cursor.current()).isEqualTo(-1);
    assertThat(cursor.begin()).isTrue();
    assertThat(cursor.current()).isZero();
    assertThat(cursor.done()).isZero();
    assertThat(cursor.conclude()).isTrue();
    assertThat(cursor.current()).isZero();
    assertThat(cursor.next(true)).isTrue();
    assertThat(cursor.done()).isEqualTo(1);
    assertThat(cursor.current()).isEqualTo(1);
    assertThat(cursor.conclude()).isTrue();
    assertThat(cursor.next(false)).isFalse();
    assertThat(cursor.done()).isEqualTo(2);
    assertThat(cursor.current()).isEqualTo(-1);
  }

  @Test
  void nothingBeginsAfterItWasStopped() {
    assertThat(cursor.stop()).isZero();
    assertThat(cursor.begin()).isFalse();
    cursor.reset();
    assertThat(cursor.begin()).isTrue();
    assertThat(cursor.stop()).isEqualTo(1);
    assertThat(cursor.conclude()).isTrue();
    assertThat(cursor.next(true)).isFalse();
    assertThat(cursor.done()).isEqualTo(1);
  }

  @Test
  void aThreadThatWasGivenUpDoesNotConclude() {
    assertThat(cursor.giveUp(0)).isFalse();
    assertThat(cursor.begin()).isTrue();
    assertThat(cursor.giveUp(1)).isFalse();
    assertThat(cursor.giveUp(0)).isTrue();
    assertThat(cursor.conclude()).isFalse();
    assertThat(cursor.done()).isZero();
  }

  @Test
  void whatHasConcludedIsNeitherInterruptedNorGivenUp() {
    assertThat(cursor.begin()).isTrue();
    assertThat(cursor.conclude()).isTrue();
    assertThat(cursor.interrupting(0)).isFalse();
    assertThat(cursor.giveUp(0)).isFalse();
  }

  /** What was begun and what was taken back are all tasks, and none is both. */
  @Test
  void whoeverStopsABatchKnowsHowManyHaveBegun() throws InterruptedException, ExecutionException {
    for (int batch = 0; batch < BATCHES; batch++) {
      cursor.reset();
      CompletableFuture<Integer> begun = CompletableFuture.supplyAsync(this::work);
      for (int spins = ThreadLocalRandom.current().nextInt(400); spins > 0; spins--) {
        Thread.onSpinWait();
      }
      if (cursor.interrupting(cursor.current())) {
        cursor.interrupted();
      }
      int stoppedAt = cursor.stop();
      assertThat(begun.get()).as("batch %d", batch).isEqualTo(Math.min(SIZE, stoppedAt));
      assertThat(cursor.done()).isEqualTo(begun.get());
    }
  }

  private int work() {
    int begun = 0;
    for (boolean more = cursor.begin(); more; more = cursor.next(begun < SIZE)) {
      begun++;
      if (!cursor.conclude()) {
        throw new AssertionError("nobody gives up here");
      }
    }
    return begun;
  }
}
