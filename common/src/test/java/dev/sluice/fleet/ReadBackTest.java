// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.share.Share;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReadBackTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long LEASE = 5 * SECOND;
  private static final LimitKey KEY = LimitKey.ofQueue(LimitKey.Kind.RATE, "q");
  private static final Epoch OLD = new Epoch("t", 1, 0, "a");
  private static final Epoch OWN = new Epoch("t", 3, 9, "me");
  private final ReadBack readBack = new ReadBack(OWN, ProtocolRule.ALL);

  private static GrantBatch batch(Epoch epoch, long mono, boolean open, Grant... grants) {
    return new GrantBatch(epoch, mono, LEASE, 0, open, List.of(grants));
  }

  private static Grant grant(String holder, long number, long units) {
    return new Grant(
        holder,
        number,
        1,
        List.of(new LimitGrant(KEY, new Share(1_000, units), 0, 0, 0, 0)),
        List.of());
  }

  @Test
  void aLogWithoutAPastIsNotComplete() {
    assertThat(readBack.read(batch(OWN, 0, false))).isTrue();
    assertThat(readBack.complete()).isFalse();
  }

  @Test
  void noMoreIsALogInWhichNobodyEverGave() {
    readBack.read(batch(OLD, 0, false));
    readBack.read(batch(OWN, 0, false));
    assertThat(readBack.complete()).isFalse();
  }

  @Test
  void whatTheSameCoordinatorOutlivedIsOver() {
    readBack.read(batch(OLD, 0, true, grant("h", 1, 50)));
    readBack.read(batch(OLD, 6 * SECOND, true, grant("h", 2, 10)));
    readBack.read(batch(OLD, 8 * SECOND, true, grant("h", 3, 5)));
    assertThat(readBack.read(batch(OWN, 0, false))).isTrue();
    assertThat(readBack.complete()).isTrue();
    assertThat(readBack.shares().get("h"))
        .extracting(found -> found.limits().get(0).share().units())
        .containsExactly(10L, 5L);
  }

  @Test
  void slotsOfAStrictLimitAreReadBackForAsLongAsTheirTasksMayRun() {
    Share three = new Share(0, 3);
    LimitKey slots = LimitKey.ofQueue(LimitKey.Kind.CONCURRENCY, "q");
    LimitGrant strict = new LimitGrant(slots, three, 0, 0, 0, 20 * SECOND);
    readBack.read(batch(OLD, 0, true, new Grant("stopped", 1, 1, List.of(strict), List.of())));
    readBack.read(batch(OLD, 24 * SECOND, true, grant("h", 2, 10)));
    readBack.read(batch(OWN, 0, false));
    assertThat(readBack.shares()).containsKeys("stopped", "h");
  }

  @Test
  void aSupersededCoordinatorIsNotHeard() {
    readBack.read(batch(new Epoch("t", 2, 5, "b"), 0, true, grant("h", 1, 5)));
    readBack.read(batch(OLD, 1, true, grant("h", 9, 500)));
    readBack.read(batch(OWN, 0, false));
    assertThat(readBack.shares().get("h")).hasSize(1);
  }
}
