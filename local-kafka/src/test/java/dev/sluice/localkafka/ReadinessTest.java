// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ReadinessTest {
  private final String nobody = "localhost:" + BrokerFiles.freePorts(1).get(0);

  @Test
  void whereNobodyAnswersItEndsSoonAfterItsTime() {
    long before = System.nanoTime();
    assertThatThrownBy(() -> Readiness.await(nobody, 1, 1, () -> true))
        .isInstanceOf(LocalKafkaException.class)
        .hasMessageContaining(nobody + " was not ready within 1 s");
    assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(10));
  }

  @Test
  void aBrokerThatEndsIsNotWaitedFor() {
    assertThatThrownBy(() -> Readiness.await(nobody, 1, 60, () -> false))
        .isInstanceOf(LocalKafkaException.class)
        .hasMessageContaining("ended before it was ready");
  }
}
