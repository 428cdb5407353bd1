// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testing.Seeds;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OccurrencesTest {
  /** Each ten seconds. */
  private static final Recurrence TENS =
      new Recurrence() {
        @Override
        public long after(long epochMillis) {
          return (Math.floorDiv(epochMillis, 10_000L) + 1) * 10_000;
        }

        @Override
        public long upTo(long epochMillis) {
          return Math.floorDiv(epochMillis, 10_000L) * 10_000;
        }
      };

  @Test
  void nothingIsDueBeforeTheNextTime() {
    for (Missed missed : Missed.values()) {
      assertThat(Occurrences.due(TENS, missed, 20_000, 29_999).fire()).isEmpty();
      assertThat(Occurrences.due(TENS, missed, 20_000, 30_000).fire()).containsExactly(30_000L);
    }
  }

  @Test
  void whatWasMissedFollowsThePolicy() {
    assertThat(Occurrences.due(TENS, Missed.ALL, 0, 305_000).fire()).hasSize(30);
    assertThat(Occurrences.due(TENS, Missed.ONCE, 0, 305_000).fire()).containsExactly(300_000L);
    assertThat(Occurrences.due(TENS, Missed.SKIP, 0, 305_000).fire())
        .containsExactly(250_000L, 260_000L, 270_000L, 280_000L, 290_000L, 300_000L);
  }

  @Test
  void manyAreFiredInParts() {
    Occurrences.Due first = Occurrences.due(TENS, Missed.ALL, 0, 10_000_000);
    assertThat(first.fire()).hasSize(100);
    assertThat(first.lastMillis()).isEqualTo(1_000_000);
    Occurrences.Due second = Occurrences.due(TENS, Missed.ALL, first.lastMillis(), 10_000_000);
    assertThat(second.fire()).startsWith(1_010_000L);
  }

  /** However often it is looked at, each time is fired once, and with ALL none is left out. */
  @Test
  void eachTimeIsFiredOnceWheneverItIsLookedAt() {
    Seeds.each(
        50,
        random -> {
          Missed missed = Missed.values()[random.nextInt(3)];
          long last = 0;
          long now = 0;
          List<Long> fired = new ArrayList<>();
          while (now < 2_000_000) {
            now += random.nextInt(random.nextInt(5) == 0 ? 400_000 : 5_000);
            Occurrences.Due due = Occurrences.due(TENS, missed, last, now);
            fired.addAll(due.fire());
            last = due.lastMillis();
          }
          assertThat(fired).doesNotHaveDuplicates().isSorted();
          assertThat(fired).allMatch(at -> at % 10_000 == 0);
          if (missed == Missed.ALL) {
            assertThat(fired).hasSize((int) (last / 10_000));
          }
        });
  }
}
