// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.delay.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.delay.DelayWheel;
import dev.sluice.flow.ledger.DoneRanges;
import dev.sluice.flow.ledger.LedgerSnapshot;
import java.util.List;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.junit.jupiter.api.Test;

class ShardPlaceTest {
  private static final long NOW = 1_800_000_000_123L;

  @Test
  void isReadBackWithAndWithoutGaps() {
    DelayWheel<String> wheel = new DelayWheel<>(10, 1_000);
    wheel.resume(0, 70, DoneRanges.NONE);
    wheel.add(new DelayWheel.Entry<>(0, 71, 0, 100, 1, "late"));
    wheel.add(new DelayWheel.Entry<>(0, 72, 0, 50, 1, "soon"));
    assertThat(wheel.take(60, 10)).hasSize(1);
    LedgerSnapshot served = wheel.served(0);
    for (ShardPlace place :
        List.of(new ShardPlace(70, ""), new ShardPlace(served.position(), served.metadata()))) {
      OffsetAndMetadata committed = place.write(NOW);
      assertThat(ShardPlace.read(committed)).isEqualTo(place);
      assertThat(ShardPlace.millis(committed.metadata())).isEqualTo(NOW);
    }
    DoneRanges done = new ShardPlace(served.position(), served.metadata()).done();
    assertThat(done.contains(72)).isTrue();
    assertThat(done.contains(71)).isFalse();
  }

  @Test
  void ofWhatSomebodyElseWroteTheOffsetHolds() {
    for (String foreign :
        List.of("", "x", "sluice-delay:", "sluice-delay:1:x", "sluice-delay:2:5", "S1AAAA")) {
      ShardPlace place = ShardPlace.read(new OffsetAndMetadata(7, foreign));
      assertThat(place).isEqualTo(new ShardPlace(7, ""));
      assertThat(place.done().size()).isZero();
    }
    assertThat(ShardPlace.millis("sluice-delay:1:x")).isEqualTo(Long.MIN_VALUE);
    assertThat(ShardPlace.millis(null)).isEqualTo(Long.MIN_VALUE);
    ShardPlace damaged = ShardPlace.read(new OffsetAndMetadata(7, "sluice-delay:2:5:S1AAAAAAA="));
    assertThat(damaged.done().size()).isZero();
  }
}
