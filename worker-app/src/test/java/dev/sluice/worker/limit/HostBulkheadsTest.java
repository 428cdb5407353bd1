// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.ConfigException;
import dev.sluice.flow.limit.Limit;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import org.junit.jupiter.api.Test;

class HostBulkheadsTest {
  private static BulkheadConfig most(int calls) {
    return BulkheadConfig.custom().maxConcurrentCalls(calls).build();
  }

  @Test
  void handlersOfOneHostShareItsPermits() {
    HostBulkheads hosts = new HostBulkheads();
    Limit first = hosts.of("api.example.org:443", most(2));
    Limit second = hosts.of("api.example.org:443", most(2));
    Limit other = hosts.of("api.example.net:443", most(1));
    assertThat(first.tryAcquire(0)).isEqualTo(Limit.GRANTED);
    assertThat(second.tryAcquire(0)).isEqualTo(Limit.GRANTED);
    assertThat(first.tryAcquire(0)).as("looks again in time").isBetween(1L, 1_000_000_000L);
    assertThat(other.tryAcquire(0)).isEqualTo(Limit.GRANTED);
    assertThat(first.inUse()).isEqualTo(1);
    second.release(Limit.Ending.SUCCESS, 1, null);
    assertThat(second.inUse()).isZero();
    assertThat(first.tryAcquire(0)).isEqualTo(Limit.GRANTED);
  }

  @Test
  void differentSizesForOneHostAreRefused() {
    HostBulkheads hosts = new HostBulkheads();
    assertThat(hosts.of("h:80", most(2)).inUse()).isZero();
    assertThatThrownBy(() -> hosts.of("h:80", most(3)))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("h:80")
        .hasMessageContaining("2 and 3");
  }
}
