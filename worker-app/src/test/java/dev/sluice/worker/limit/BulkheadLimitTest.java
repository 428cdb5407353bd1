// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class BulkheadLimitTest {
  private final Bulkhead bulkhead =
      Bulkhead.of(
          "b",
          BulkheadConfig.custom().maxConcurrentCalls(2).maxWaitDuration(Duration.ZERO).build());
  private final BulkheadLimit limit = new BulkheadLimit(bulkhead);

  @Test
  void grantsItsPermitsAndThenWaitsForARelease() {
    assertThat(limit.reason()).isEqualTo(PauseReason.BULKHEAD_FULL);
    assertThat(limit.tryAcquire(0)).isEqualTo(Limit.GRANTED);
    assertThat(limit.tryAcquire(0)).isEqualTo(Limit.GRANTED);
    assertThat(limit.tryAcquire(0)).isEqualTo(Limit.UNTIL_RELEASE);

    limit.release(Limit.Ending.SUCCESS, 1, null);

    assertThat(limit.tryAcquire(0)).isEqualTo(Limit.GRANTED);
  }

  @Test
  void hasAllPermitsBackAfterEveryEnding() {
    AtomicInteger finished = new AtomicInteger();
    bulkhead.getEventPublisher().onCallFinished(event -> finished.incrementAndGet());
    for (Limit.Ending ending : Limit.Ending.values()) {
      limit.tryAcquire(0);
      limit.release(ending, 1, ending == Limit.Ending.FAILURE ? new Error("no") : null);
    }
    limit.tryAcquire(0);
    limit.cancel();

    assertThat(bulkhead.getMetrics().getAvailableConcurrentCalls()).isEqualTo(2);
    assertThat(finished).as("a start that did not happen has not finished").hasValue(3);
  }

  @Test
  void refusesABulkheadThatWouldLetItsCallerWait() {
    Bulkhead waiting =
        Bulkhead.of("w", BulkheadConfig.custom().maxWaitDuration(Duration.ofSeconds(1)).build());

    assertThatThrownBy(() -> new BulkheadLimit(waiting))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'w'")
        .hasMessageContaining("maxWaitDuration")
        .hasMessageContaining("PT1S");
  }
}
